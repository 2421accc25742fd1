// The palettes, one for each layer: cells are added from the panel of the pinned cell, and painted with in a panel of
// their own. They are kept as long as the page is open.

import type { CellAddress } from "../data/area";
import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon, el } from "../ui/dom";
import { addressOf } from "../ui/icons";
import { settingOfCell } from "./commands";
import {
  EMPTY,
  indexOfCell,
  MOST_CELLS,
  type Palette,
  resized,
  withCell,
  withoutCell,
  withSquare,
} from "./palette";
import { PalettePanel } from "./palette-panel";

export interface PaletteActions {
  /** Focus the map. */
  onClose(): void;
  /** Close what lies over the palette on a small screen. */
  uncover(): void;
}

export class PaletteTool {
  /** Opens and closes the panel; hidden until a palette has a cell. */
  readonly button = createButton("Palette", createPaletteIcon(), () => this.toggle());
  private readonly panel: PalettePanel;
  private readonly palettes = new Map<string, Palette>();
  /** The controls in the panel of the pinned cell, and its cell. */
  private offer: {
    readonly element: HTMLElement;
    readonly layer: string;
    readonly cell: CellAddress;
  } | null = null;

  constructor(
    manifest: Manifest,
    private readonly store: Store,
    private readonly page: HTMLElement,
    private readonly actions: PaletteActions,
  ) {
    this.button.hidden = true;
    this.button.setAttribute("aria-pressed", "false");
    this.panel = new PalettePanel(manifest, {
      close: () => this.close(),
      choose: (brush) => this.change({ ...this.palette, brush }),
      remove: (index) => this.remove(index),
      resize: (rows, columns) => this.change(resized(this.palette, rows, columns)),
      paint: (row, column) => this.change(withSquare(this.palette, row, column)),
    });
    store.subscribe((state, before) => {
      if (this.isOpen && (state.layer !== before.layer || state.style !== before.style)) this.show();
    });
  }

  /** Controls for the panel of a pinned cell; null in an atlas of part of the samples, which no method reads. */
  createOffer({ layer, atlas, level }: Scene, cell: number): HTMLElement | null {
    this.offer = null;
    if (atlas.kind !== "all") return null;
    const element = el("div", { class: "palette-offer" });
    this.offer = { element, layer: layer.name, cell: addressOf({ level, cell }) };
    this.fillOffer();
    return element;
  }

  /** Close the panel; false if it is not open. */
  close(): boolean {
    if (!this.isOpen) return false;
    this.panel.element.remove();
    this.update();
    this.actions.onClose();
    return true;
  }

  private get isOpen(): boolean {
    return this.panel.element.isConnected;
  }

  private get palette(): Palette {
    return this.palettes.get(this.store.state.layer) ?? EMPTY;
  }

  private toggle(): void {
    if (!this.close()) this.open();
  }

  private open(): void {
    this.page.append(this.panel.element); // over a panel that was opened before
    this.show();
    this.update();
  }

  private add(layer: string, cell: CellAddress): void {
    const before = this.palettes.get(layer) ?? EMPTY;
    const after = withCell(before, cell);
    this.palettes.set(layer, after);
    if (this.isOpen) this.show();
    else this.open();
    this.update();
    announce(`${settingOfCell(cell)} is in the palette, ${count(after.cells.length, "cell")}.`);
  }

  private remove(index: number): void {
    const cell = this.palette.cells[index];
    this.change(withoutCell(this.palette, index));
    if (cell) announce(`${settingOfCell(cell)} is no longer in the palette.`);
    this.panel.focusCell(index);
  }

  private change(palette: Palette): void {
    this.palettes.set(this.store.state.layer, palette);
    this.show();
    this.update();
  }

  private show(): void {
    this.panel.show(this.store.state, this.palette);
  }

  private update(): void {
    document.documentElement.toggleAttribute("data-palette", this.isOpen);
    this.button.hidden = !this.isOpen && ![...this.palettes.values()].some(({ cells }) => cells.length);
    this.button.setAttribute("aria-pressed", String(this.isOpen));
    this.fillOffer();
  }

  private fillOffer(): void {
    if (!this.offer) return;
    const { element, layer, cell } = this.offer;
    const palette = this.palettes.get(layer) ?? EMPTY;
    const [held, full] = [indexOfCell(palette, cell) >= 0, palette.cells.length >= MOST_CELLS];
    const hadFocus = element.contains(document.activeElement);
    const text = held ? "In the palette" : full ? `Palette is full (${MOST_CELLS} cells)` : "Add to palette";
    const add = el(
      "button",
      { type: "button", class: "more", "aria-disabled": held || full ? "true" : null },
      text,
    );
    add.prepend(held ? createSvgIcon("m4.5 10.5 3.5 3.5 7.5-8") : createPaletteIcon());
    add.addEventListener("click", () => {
      if (!held && !full) this.add(layer, cell);
    });
    const show = el(
      "button",
      { type: "button", class: "link show-palette" },
      `Show palette (${palette.cells.length})`,
    );
    show.addEventListener("click", () => {
      if (!this.isOpen) this.open();
      this.actions.uncover();
      this.panel.element.focus();
    });
    element.replaceChildren(add, ...(palette.cells.length ? [show] : []));
    if (hadFocus) add.focus();
  }
}

/** Icon of the control: a painter's palette. */
function createPaletteIcon(): SVGSVGElement {
  return createSvgIcon(
    "M10 3a7 7 0 1 0 0 14c1.2 0 1.7-.8 1.4-1.8-.4-1.3.3-2.2 1.6-2.2H15a2 2 0 0 0 2-2c0-4.4-3.1-8-7-8Z",
    "M6.6 10.6h.01",
    "M8.2 7h.01",
    "M12.4 7h.01",
  );
}
