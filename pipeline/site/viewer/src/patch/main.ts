// Patch test page: which patches change one class into another.

import { loadDataFrom, takeData } from "../data/data-files";
import { atlasAddress } from "../data/last-place";
import type { Manifest } from "../data/manifest";
import { announce, announcementRegion } from "../ui/accessibility";
import { createRadioGroup } from "../ui/controls";
import { createSvgIcon, el } from "../ui/dom";
import { createThemeButton } from "../ui/page";
import { createReport } from "./report";
import {
  className,
  classPair,
  fromHash,
  listComparisons,
  type PatchTest,
  type Selection,
  toHash,
} from "./result";

class Page {
  private readonly back = el("a", { class: "back" }, "← Atlas");
  private readonly layers = createRadioGroup("Layer", (layer) => this.go({ layer }));
  private readonly pairs = el("select", { "aria-label": "Comparison" });
  private readonly main = el("main", {});

  constructor(private readonly manifest: Manifest) {
    this.layers.element.classList.add("layers");
    this.layers.setOptions(manifest.layers.map(({ name }) => ({ value: name, label: name })));
    for (const atlas of listComparisons(manifest)) {
      const names = classPair(atlas).map((id) => className(manifest, id));
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
      createThemeButton(() => undefined),
    );
    const head = el(
      "header",
      { class: "page-header" },
      this.back,
      title,
      this.pairs,
      this.layers.element,
      tools,
    );
    document.body.append(head, this.main, announcementRegion());
    void this.show();
  }

  private get selection(): Selection | null {
    return fromHash(location.hash, this.manifest);
  }

  private go(change: Partial<Selection>): void {
    const { selection } = this;
    if (selection) location.hash = toHash({ ...selection, ...change });
  }

  private async show(): Promise<void> {
    const { selection } = this;
    delete document.documentElement.dataset.ready;
    this.pairs.hidden = this.layers.element.hidden = selection === null;
    if (!selection) {
      const text =
        "This run has no comparisons. Run it again with a pair of classes, for example comparisons=[[cat,dog]].";
      this.setContent("nothing", el("p", { class: "lead" }, text));
      return;
    }
    const { layer, atlas } = selection;
    this.back.href = atlasAddress(`#${new URLSearchParams({ layer, atlas })}`);
    this.layers.choose(selection.layer);
    this.pairs.value = selection.atlas;
    const name = `patch/${selection.layer}/${selection.atlas}`;
    try {
      const test = await loadDataFrom<PatchTest>(`${name}/result.js`, name);
      if (toHash(selection) === toHash(this.selection ?? selection))
        this.setContent(toHash(selection).slice(1), ...this.createContent(test, selection));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.setContent(
        "failed",
        el(
          "p",
          { class: "skip-reason" },
          `There is no patch test for this layer and comparison (${text}). The stage patch writes it.`,
        ),
      );
    }
  }

  private createContent(test: PatchTest, selection: Selection): HTMLElement[] {
    const direction = test.directions.find(({ name }) => name === selection.direction) ?? test.directions[0];
    if (!direction) throw new Error("it contains no direction");
    const [source, target] = [direction.source, direction.target].map((id) => className(this.manifest, id));
    const context = { manifest: this.manifest, test, direction, source: source ?? "", target: target ?? "" };
    announce(`Patches that change ${context.source} into ${context.target}, ${test.layer}`);
    return [this.createQuestion(context.source, context.target, selection), ...createReport(context)];
  }

  private createQuestion(source: string, target: string, selection: Selection): HTMLElement {
    const [one, other] = selection.direction.split("-");
    const swapLink = el(
      "a",
      { class: "swap-direction", href: toHash({ ...selection, direction: `${other}-${one}` }) },
      createSvgIcon("M4 7h11l-3-3", "M16 13H5l3 3"),
      "Swap direction",
    );
    const text = el("h2", {}, "Does a patch change ");
    text.append(el("em", { class: "source" }, source), " into ", el("em", { class: "target" }, target), "?");
    return el("div", { class: "question" }, text, swapLink);
  }

  private setContent(ready: string, ...children: readonly HTMLElement[]): void {
    this.main.replaceChildren(...children);
    document.documentElement.dataset.ready = ready;
  }
}

try {
  new Page(takeData("manifest") as Manifest).start();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  document.body.replaceChildren(el("p", { class: "failure" }, `The tests cannot be shown: ${text}`));
}
