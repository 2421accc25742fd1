// Menu of the atlases: all samples, class atlases, comparisons (listbox that opens from a button).

import { type AtlasEntry, allAtlases, atlasDescription, atlasName, type Manifest } from "../data/manifest";
import { openAtlas } from "../map/navigation";
import type { Store } from "../state/state";
import { createSvgIcon, el } from "../ui/dom";

const GROUPS = [
  { kind: "all", title: null },
  { kind: "class", title: "Classes" },
  { kind: "compare", title: "Comparisons" },
] as const;

export class AtlasMenu {
  readonly element = el("div", { class: "atlases" });
  readonly button: HTMLButtonElement;
  private readonly label = el("span", { class: "button-label" });
  private readonly list = el("ul", {
    role: "listbox",
    "aria-label": "Atlases",
    tabindex: "-1",
    hidden: true,
  });
  private readonly options: { readonly atlas: AtlasEntry; readonly element: HTMLElement }[] = [];
  private active = 0;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    id = "atlases",
  ) {
    this.list.id = id;
    this.button = el(
      "button",
      { type: "button", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": id },
      this.label,
      createSvgIcon("m6 8 4 4 4-4"),
    );
    this.list.append(...this.createGroups());
    this.element.append(this.button, this.list);
    this.element.hidden = allAtlases(manifest).length < 2;
    this.button.addEventListener("click", () => (this.list.hidden ? this.open() : this.close(true)));
    this.button.addEventListener("keydown", (event) => this.onButtonKey(event));
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget)))
        this.close(false);
    });
    store.subscribe(() => this.update());
    this.update();
  }

  open(): void {
    if (this.element.hidden) return;
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.list.focus();
    this.highlight(this.options.findIndex(({ atlas }) => atlas.name === this.store.state.atlas));
  }

  private close(back: boolean): void {
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus();
  }

  private createGroups(): HTMLElement[] {
    return GROUPS.flatMap(({ kind, title }) => {
      const found = allAtlases(this.manifest).filter((atlas) => atlas.kind === kind);
      const options = found.map((atlas) => this.createOption(atlas));
      if (!title || !found.length) return options;
      const head = el("li", { class: "group", role: "presentation" }, title);
      return [head, ...options];
    });
  }

  private createOption(atlas: AtlasEntry): HTMLElement {
    const index = this.options.length;
    const [name, description] = [atlasName(this.manifest, atlas), atlasDescription(this.manifest, atlas)];
    const attributes = {
      role: "option",
      id: `${this.list.id}-${index}`,
      "aria-label": description.includes(name) ? description : `${name}: ${description}`, // voice control users say the visible text
    };
    const element = el("li", attributes, name);
    element.addEventListener("click", () => this.choose(index));
    this.options.push({ atlas, element });
    return element;
  }

  private choose(index: number): void {
    const selected = this.options[index];
    this.close(true);
    if (selected && selected.atlas.name !== this.store.state.atlas)
      openAtlas(this.manifest, this.store, selected.atlas.name);
  }

  private onButtonKey(event: KeyboardEvent): void {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    event.stopPropagation();
    this.open();
  }

  private onKey(event: KeyboardEvent): void {
    const last = this.options.length - 1;
    const to = {
      ArrowDown: Math.min(this.active + 1, last),
      ArrowUp: Math.max(this.active - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined) this.highlight(to);
    else if (event.key === "Enter" || event.key === " ") this.choose(this.active);
    else if (event.key === "Escape") this.close(true);
    else if (event.key === "Tab") return;
    else this.findByLetter(event.key);
    event.preventDefault();
    event.stopPropagation();
  }

  /** Move to the next atlas whose name starts with the letter. */
  private findByLetter(letter: string): void {
    if (letter.length !== 1) return;
    const wanted = letter.toLocaleLowerCase();
    const fits = (index: number): boolean =>
      this.options[index]?.element.textContent.toLocaleLowerCase().startsWith(wanted) ?? false;
    const order = this.options.map((_, step) => (this.active + 1 + step) % this.options.length);
    const found = order.find(fits);
    if (found !== undefined) this.highlight(found);
  }

  private highlight(index: number): void {
    this.active = Math.max(index, 0);
    this.options.forEach(({ element }, at) => {
      element.toggleAttribute("data-active", at === this.active);
    });
    const { element } = this.options[this.active] ?? {};
    element?.scrollIntoView({ block: "nearest" });
    if (element) this.list.setAttribute("aria-activedescendant", element.id);
  }

  private update(): void {
    for (const { atlas, element } of this.options) {
      const selected = atlas.name === this.store.state.atlas;
      element.setAttribute("aria-selected", String(selected));
      if (!selected) continue;
      this.label.textContent = atlasName(this.manifest, atlas);
      this.button.setAttribute("aria-label", `Atlas: ${atlasDescription(this.manifest, atlas)}`);
      this.button.title = atlasDescription(this.manifest, atlas);
    }
  }
}
