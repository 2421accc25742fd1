// Panel of the palette: its cells, the grid of labels that is painted with them, and the commands to take along.

import { type CellAddress, describePosition } from "../data/area";
import { count } from "../data/format";
import { type AtlasEntry, find, type Manifest } from "../data/manifest";
import { synthesisAddress } from "../data/syntheses";
import { createCopyableText } from "../panels/provenance";
import type { State } from "../state/state";
import { createSection } from "../ui/controls";
import { createButton, createCloseButton, createSvgIcon, el } from "../ui/dom";
import { createIcon } from "../ui/icons";
import { paintingCommand, queryCommand, settingOfCell } from "./commands";
import { LabelGrid } from "./label-grid";
import { FEWEST_LINES, MOST_CELLS, MOST_LINES, type Palette } from "./palette";

export interface PanelActions {
  close(): void;
  choose(cell: number): void;
  remove(cell: number): void;
  resize(rows: number, columns: number): void;
  paint(row: number, column: number): void;
}

export class PalettePanel {
  readonly element = el("section", { class: "panel palette", "aria-label": "Palette", tabindex: "-1" });
  private readonly summary = el("p", { class: "secondary" });
  private readonly cells = el("ul", { class: "palette-cells" });
  private readonly grid: LabelGrid;
  private readonly rows: HTMLSelectElement;
  private readonly columns: HTMLSelectElement;
  private readonly commands = el("div", {});
  private readonly content: HTMLElement;
  private readonly advice = el("p", { class: "section empty" });
  private layer = "";
  private atlas: AtlasEntry | null = null;
  private palette: Palette | null = null;

  constructor(
    private readonly manifest: Manifest,
    private readonly actions: PanelActions,
  ) {
    this.grid = new LabelGrid({
      icon: (cell) => this.createIcon(this.palette?.cells[cell]),
      name: (cell) => this.describe(cell),
      paint: actions.paint,
    });
    const resize = (): void => actions.resize(Number(this.rows.value), Number(this.columns.value));
    this.rows = createLineSelect("Rows", resize);
    this.columns = createLineSelect("Columns", resize);
    const size = el(
      "div",
      { class: "grid-size" },
      el("label", {}, "Rows ", this.rows),
      el("label", {}, "Columns ", this.columns),
    );
    const cells = createSection(`Cells (up to ${MOST_CELLS}; choose the one to paint with)`, this.cells);
    this.content = el(
      "div",
      {},
      cells,
      createSection("Label grid (click squares to paint them)", this.grid.element, size),
      this.commands,
    );
    this.element.append(
      el(
        "header",
        {},
        createCloseButton("Close palette", actions.close, "icon-button close"),
        el("h2", {}, "Palette"),
        this.summary,
      ),
      this.content,
      this.advice,
    );
  }

  show({ layer, style }: State, palette: Palette): void {
    const atlas = find(this.manifest, layer, "all", style).atlas;
    const same =
      layer === this.layer && atlas.style === this.atlas?.style && palette.cells === this.palette?.cells;
    [this.layer, this.atlas, this.palette] = [layer, atlas, palette];
    const { cells, labels } = palette;
    this.summary.textContent = `${count(cells.length, "cell")} of ${layer}`;
    this.content.hidden = cells.length === 0;
    this.advice.hidden = cells.length > 0;
    this.advice.textContent = `No cell of ${layer} yet. Pin one on the map and choose “Add to palette”.`;
    if (!cells.length) return;
    if (!same) this.cells.replaceChildren(...cells.map((cell, index) => this.createCell(cell, index)));
    for (const [index, button] of this.cells.querySelectorAll(".brush").entries())
      button.setAttribute("aria-pressed", String(index === palette.brush));
    this.grid.show(labels, same);
    this.rows.value = String(labels.length);
    this.columns.value = String(labels[0]?.length ?? 0);
    this.commands.replaceChildren(...this.createCommands(palette));
  }

  /** After a cell was removed: to the remove button that took its place, or to the panel. */
  focusCell(index: number): void {
    const buttons = this.cells.querySelectorAll<HTMLElement>(".remove");
    (buttons[Math.min(index, buttons.length - 1)] ?? this.element).focus();
  }

  private createCell(cell: CellAddress, index: number): HTMLElement {
    const name = settingOfCell(cell);
    const label = `Paint with ${this.describe(index)}`;
    const brush = el(
      "button",
      { type: "button", class: "brush", "aria-label": label, title: label },
      this.createIcon(cell),
      el("span", { class: "number" }, String(index)),
    );
    brush.addEventListener("click", () => this.actions.choose(index));
    const cross = createSvgIcon("M6 6 14 14", "M14 6 6 14");
    const remove = createButton(
      `Remove ${name} from the palette`,
      cross,
      () => this.actions.remove(index),
      "icon-button remove",
    );
    return el("li", {}, brush, el("span", { class: "address" }, name), remove);
  }

  private createIcon(cell: CellAddress | undefined): HTMLElement {
    return cell && this.atlas ? createIcon(this.layer, this.atlas, cell) : el("span", { class: "icon" });
  }

  private describe(index: number): string {
    const cell = this.palette?.cells[index];
    return cell ? `cell ${index}, ${describePosition(cell)} of ${cell.size}` : "no cell";
  }

  private createCommands(palette: Palette): HTMLElement[] {
    const query = queryCommand(this.layer, palette);
    const shown = this.manifest.synthesize.filter(
      (method) => method === "painting" || method === "region_query",
    );
    const links = shown.map((method) =>
      el(
        "p",
        { class: "secondary made" },
        el(
          "a",
          { href: synthesisAddress(method) },
          method === "painting" ? "Painting of this run" : "Query of this run",
        ),
      ),
    );
    return [
      createSection(
        "Paint it",
        el(
          "p",
          { class: "secondary" },
          "Makes a picture in which each square has the direction of its cell.",
        ),
        createCopyableText(paintingCommand(this.layer, palette)),
      ),
      createSection(
        "Find images by these cells",
        el("p", { class: "secondary" }, "Ranks all images by how much of these cells they hold."),
        query
          ? createCopyableText(query)
          : el("p", { class: "empty" }, "A query takes cells of one grid level; these are of several."),
      ),
      ...links,
    ];
  }
}

function createLineSelect(label: string, change: () => void): HTMLSelectElement {
  const sizes = Array.from({ length: MOST_LINES - FEWEST_LINES + 1 }, (_, index) =>
    String(FEWEST_LINES + index),
  );
  const select = el(
    "select",
    { "aria-label": `${label} of the label grid` },
    ...sizes.map((size) => el("option", { value: size }, size)),
  );
  select.addEventListener("change", change);
  return select;
}
