// Menu of the layers with thumbnails: a row for few layers, else a list that opens from a button.

import { count } from "../data/format";
import { find, type LayerEntry, type Manifest } from "../data/manifest";
import type { State, Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";
import { createSvgIcon, el } from "../ui/dom";
import { createThumbnail } from "../ui/icons";

const MAX_IN_ROW = 3;
const [SMALL, LARGE] = [64, 256]; // pixels of the thumbnails: in the row and on the button, in the list

/** Switch for the layer; `go` is called with the chosen one. */
export function createLayerSwitch(
  manifest: Manifest,
  store: Store,
  go: (layer: string) => void,
): HTMLElement {
  return manifest.layers.length <= MAX_IN_ROW
    ? createLayerRow(manifest, store, go)
    : new LayerMenu(manifest, store, go).element;
}

function createLayerRow(manifest: Manifest, store: Store, go: (layer: string) => void): HTMLElement {
  const layers = createRadioGroup("Layer", go);
  layers.setOptions(manifest.layers.map(({ name }) => ({ value: name, label: name })));
  layers.element.classList.add("layers");
  let thumbnails = "";
  const update = (): void => {
    const { layer, atlas, style } = store.state;
    layers.choose(layer);
    const shown = layers.element.querySelector("input:checked + span");
    if (shown) scrollIntoRow(shown, layers.element);
    if (thumbnails === `${atlas} ${style}`) return;
    thumbnails = `${atlas} ${style}`;
    for (const [index, label] of [...layers.element.querySelectorAll("label > span")].entries()) {
      label.querySelector(".layer-thumbnail")?.remove();
      const entry = manifest.layers[index];
      if (entry) label.prepend(createLayerThumbnail(manifest, entry, store.state, SMALL));
    }
  };
  store.subscribe(update);
  update();
  return layers.element;
}

/** Scroll only the row: `scrollIntoView` would also move the starting point of the tab key. */
function scrollIntoRow(part: Element, row: Element): void {
  const [inner, outer] = [part.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollLeft += Math.min(inner.left - outer.left, 0) + Math.max(inner.right - outer.right, 0);
}

function createLayerThumbnail(
  manifest: Manifest,
  { name }: LayerEntry,
  { atlas, style }: Pick<State, "atlas" | "style">,
  pixels: number,
): HTMLElement {
  const found = find(manifest, name, atlas, style);
  return createThumbnail(name, found.atlas, pixels);
}

export class LayerMenu {
  readonly element = el("div", { class: "layer-list" });
  private readonly button: HTMLButtonElement;
  private readonly layers;
  private thumbnails = "";
  private usedPointer = false;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    go: (layer: string) => void,
    id = "layers",
  ) {
    this.layers = createRadioGroup("Layer", go);
    this.layers.setOptions(manifest.layers.map(({ name }) => ({ value: name, label: name })));
    this.layers.element.id = id;
    this.layers.element.hidden = true;
    this.button = el("button", { type: "button", "aria-expanded": "false", "aria-controls": id });
    this.element.append(this.button, this.layers.element);
    this.listen();
    store.subscribe(() => this.update());
    this.update();
  }

  private get list(): HTMLElement {
    return this.layers.element;
  }

  private listen(): void {
    this.button.addEventListener("click", () => (this.list.hidden ? this.open() : this.close(true)));
    this.list.addEventListener("pointerdown", () => {
      this.usedPointer = true;
    });
    this.list.addEventListener("click", (event) => {
      if (this.usedPointer && event.target instanceof HTMLInputElement) this.close(true); // arrow keys leave it open
    });
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.element.contains(relatedTarget)) this.close(false);
    });
  }

  private readonly closeOnOutsidePress = ({ target }: PointerEvent): void => {
    if (!(target instanceof Node && this.element.contains(target))) this.close(false);
  };

  private open(): void {
    this.list.hidden = false;
    this.usedPointer = false;
    document.addEventListener("pointerdown", this.closeOnOutsidePress);
    this.button.setAttribute("aria-expanded", "true");
    const selected = this.list.querySelector<HTMLInputElement>("input:checked");
    selected?.focus();
    selected?.parentElement?.scrollIntoView({ block: "nearest" });
  }

  private close(back: boolean): void {
    if (this.list.hidden) return;
    this.list.hidden = true;
    document.removeEventListener("pointerdown", this.closeOnOutsidePress);
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus();
  }

  private onKey(event: KeyboardEvent): void {
    this.usedPointer = false;
    const opens = this.list.hidden && ["ArrowDown", "ArrowUp"].includes(event.key);
    const closes = !this.list.hidden && ["Escape", "Enter"].includes(event.key);
    if (opens) this.open();
    else if (closes) this.close(true);
    if (!opens && !closes) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private update(): void {
    const { state } = this.store;
    const { layer, atlas, style } = state;
    this.layers.choose(layer);
    const { layer: selected } = find(this.manifest, layer, atlas);
    this.button.setAttribute("aria-label", `Layer: ${selected.name}`);
    this.button.title = selected.name;
    this.button.replaceChildren(
      createLayerThumbnail(this.manifest, selected, state, SMALL),
      el("span", { class: "button-label" }, selected.name),
      createSvgIcon("m6 8 4 4 4-4"),
    );
    if (this.thumbnails === `${atlas} ${style}`) return;
    this.thumbnails = `${atlas} ${style}`;
    this.fillList(state);
  }

  /** Thumbnails and channels of every layer, in the order of depth. */
  private fillList(state: State): void {
    for (const [index, label] of [...this.list.querySelectorAll("label > span")].entries()) {
      const entry = this.manifest.layers[index];
      if (!entry) continue;
      const words = el("span", { class: "text-lines" }, el("span", { class: "layer" }, entry.name));
      words.append(el("span", { class: "secondary" }, count(entry.channels, "channel")));
      label.replaceChildren(createLayerThumbnail(this.manifest, entry, state, LARGE), words);
    }
  }
}
