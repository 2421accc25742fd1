// The page of patch tests: which patches turn one class into another.

import { loadPartFrom, takePart } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { announce, announcements } from "../ui/accessibility";
import { choice } from "../ui/controls";
import { drawing, el } from "../ui/dom";
import { themeButton } from "../ui/page";
import { report } from "./report";
import { className, comparisons, fromHash, type PatchTest, pair, type Shown, toHash } from "./result";

class Page {
  private readonly back = el("a", { class: "back" }, "← Atlas");
  private readonly layers = choice("Layer", (layer) => this.go({ layer }));
  private readonly pairs = el("select", { "aria-label": "Comparison" });
  private readonly main = el("main", {});

  constructor(private readonly manifest: Manifest) {
    this.layers.element.classList.add("layers");
    this.layers.offer(manifest.layers.map(({ name }) => ({ value: name, face: name })));
    for (const atlas of comparisons(manifest)) {
      const names = pair(atlas).map((id) => className(manifest, id));
      this.pairs.append(el("option", { value: atlas }, names.join(" ↔ ")));
    }
    this.pairs.addEventListener("change", () => this.go({ atlas: this.pairs.value, direction: "" }));
    addEventListener("hashchange", () => void this.show());
  }

  start(): void {
    const title = el("div", { class: "title" }, el("h1", {}, this.manifest.title), el("p", {}, "Patch test"));
    const tools = el(
      "div",
      { class: "tools" },
      themeButton(() => undefined),
    );
    const head = el(
      "header",
      { class: "masthead" },
      this.back,
      title,
      this.pairs,
      this.layers.element,
      tools,
    );
    document.body.append(head, this.main, announcements());
    void this.show();
  }

  private get shown(): Shown | null {
    return fromHash(location.hash, this.manifest);
  }

  private go(change: Partial<Shown>): void {
    const { shown } = this;
    if (shown) location.hash = toHash({ ...shown, ...change });
  }

  private async show(): Promise<void> {
    const { shown } = this;
    delete document.documentElement.dataset.ready;
    this.pairs.hidden = this.layers.element.hidden = shown === null;
    if (!shown) {
      const text =
        "This run compares no classes. Compose it anew with a pair, as in comparisons=[[cat,dog]].";
      this.fill("nothing", el("p", { class: "lead" }, text));
      return;
    }
    this.back.href = `index.html#${new URLSearchParams({ layer: shown.layer, atlas: shown.atlas })}`;
    this.layers.choose(shown.layer);
    this.pairs.value = shown.atlas;
    const name = `patch/${shown.layer}/${shown.atlas}`;
    try {
      const test = await loadPartFrom<PatchTest>(`${name}/result.js`, name);
      if (toHash(shown) === toHash(this.shown ?? shown))
        this.fill(toHash(shown).slice(1), ...this.told(test, shown));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.fill(
        "failed",
        el(
          "p",
          { class: "hindrance" },
          `There is no patch test of this layer and comparison to show (${text}). The stage patch makes it.`,
        ),
      );
    }
  }

  private told(test: PatchTest, shown: Shown): HTMLElement[] {
    const direction = test.directions.find(({ name }) => name === shown.direction) ?? test.directions[0];
    if (!direction) throw new Error("it holds no direction");
    const [source, target] = [direction.source, direction.target].map((id) => className(this.manifest, id));
    const scene = { manifest: this.manifest, test, direction, source: source ?? "", target: target ?? "" };
    announce(`Patches that turn ${scene.source} into ${scene.target}, ${test.layer}`);
    return [this.question(scene.source, scene.target, shown), ...report(scene)];
  }

  private question(source: string, target: string, shown: Shown): HTMLElement {
    const [one, other] = shown.direction.split("-");
    const turn = el(
      "a",
      { class: "turn", href: toHash({ ...shown, direction: `${other}-${one}` }) },
      drawing("M4 7h11l-3-3", "M16 13H5l3 3"),
      "The other way round",
    );
    const text = el("h2", {}, "Does a patch turn ");
    text.append(el("em", { class: "source" }, source), " into ", el("em", { class: "target" }, target), "?");
    return el("div", { class: "question" }, text, turn);
  }

  private fill(ready: string, ...children: readonly HTMLElement[]): void {
    this.main.replaceChildren(...children);
    document.documentElement.dataset.ready = ready;
  }
}

try {
  new Page(takePart("manifest") as Manifest).start();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  document.body.replaceChildren(el("p", { class: "failure" }, `The tests cannot be shown: ${text}`));
}
