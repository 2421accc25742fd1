// Polysemantic cells: cells with a large attribution to two classes that look unlike, by layer.

import { describePosition } from "../data/area";
import { overviewLevel } from "../data/attribution";
import { decodeArray, type EncodedArray, loadData } from "../data/data-files";
import { percent } from "../data/format";
import { type LevelData, loadLevel } from "../data/level";
import { type AtlasEntry, find, type LayerEntry, type Manifest } from "../data/manifest";
import { isRecorded } from "../data/recorded";
import { goToCell } from "../map/navigation";
import type { Store } from "../state/state";
import { createDialog } from "../ui/controls";
import { createButton, createSvgIcon, el } from "../ui/dom";
import { createIcon } from "../ui/icons";
import { createClassBars } from "./class-bars";

const ABOUT =
  "Each of these cells has a large attribution to two classes that look unlike to the network: one feature, several " +
  "roles. Classes look unlike if hardly any cell holds both: overlap is the share of the samples of either class that " +
  "the two have in common cells, at the layer where it is largest.";

export class PolysemanticCellsDialog {
  private readonly dialogParts = createDialog("polysemantic-cells");

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly reportError: (error: unknown) => void,
  ) {
    this.dialogParts.heading.textContent = "Polysemantic cells";
  }

  get dialog(): HTMLDialogElement {
    return this.dialogParts.dialog;
  }

  /** Button that opens the dialog; null if no attributions were recorded. */
  createOpenButton(): HTMLElement | null {
    if (!isRecorded(this.manifest, "attributions")) return null;
    const content = createSvgIcon(
      "M8 4.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z",
      "M12 4.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11Z",
    );
    return createButton("Polysemantic cells", content, () => this.open());
  }

  open(): void {
    const { dialog, body } = this.dialogParts;
    const { layers } = this.manifest;
    const now = layers.findIndex(({ name }) => name === this.store.state.layer);
    const order = [...layers.slice(now), ...layers.slice(0, now)];
    body.replaceChildren(
      el("p", { class: "secondary about" }, ABOUT),
      ...order.map((layer) => this.createSection(layer)),
    );
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  /** Section of one layer, filled when its data are loaded. */
  private createSection(layer: LayerEntry): HTMLElement {
    const { atlas } = find(this.manifest, layer.name, "all", this.store.state.style);
    const size = overviewLevel(atlas);
    const waiting = el("div", { class: "loading" });
    const sizeText = size === null ? null : el("span", { class: "secondary" }, `${size} × ${size}`);
    const section = el(
      "section",
      { "aria-label": layer.name },
      el("h3", {}, layer.name, " ", sizeText),
      waiting,
    );
    if (size !== null)
      this.createList(layer, atlas, size).then((list) => waiting.replaceWith(list), this.reportError);
    else waiting.replaceWith(el("p", { class: "empty" }, "All attributions of this layer are exactly zero."));
    return section;
  }

  private async createList(layer: LayerEntry, atlas: AtlasEntry, size: number): Promise<HTMLElement> {
    const level = await loadLevel(layer.name, atlas.name, size);
    const cells = await loadPolysemanticCells(level.name);
    const none = "No cell of this layer has a large attribution to two classes that look unlike.";
    if (!cells.length) return el("p", { class: "empty" }, none);
    const rows = cells.map((cell) => el("li", {}, this.createRow(layer, atlas, level, cell)));
    return el("ol", { class: "polysemantic-list" }, ...rows);
  }

  private createRow(
    layer: LayerEntry,
    atlas: AtlasEntry,
    level: LevelData,
    cell: PolysemanticCell,
  ): HTMLElement {
    const address = { size: level.size, row: level.row(cell.cell), column: level.column(cell.cell) };
    const names = cell.classes.map(({ id }) => this.manifest.network.classes[id] ?? `class ${id}`);
    const label = `${names.join(" and ")}: ${describePosition(address)}`;
    const press = el("button", { type: "button", "aria-label": label });
    press.append(
      createIcon(layer.name, atlas, address),
      el(
        "span",
        { class: "text" },
        createClassBars(this.manifest.network.classes, cell.classes, null, null),
        el("span", { class: "secondary" }, `overlap ${percent(cell.overlap)}`),
      ),
    );
    press.addEventListener("click", () => {
      this.dialog.close();
      goToCell(this.store, layer.name, atlas.name, address);
    });
    return press;
  }
}

export interface PolysemanticCell {
  /** Index of the cell in its level. */
  readonly cell: number;
  /** The two classes, larger first, with the cell's mean attribution in logits. */
  readonly classes: readonly { readonly id: number; readonly value: number }[];
  /** Of the classes' distributions over cells, the largest of all layers, 0..1. */
  readonly overlap: number;
}

const COLUMNS = ["cell", "first", "second", "first_value", "second_value", "overlap"] as const;
type Content = Readonly<Record<(typeof COLUMNS)[number], EncodedArray>>;

/** Polysemantic cells of the level `<layer>/<atlas>/<size>`, largest score first. */
export async function loadPolysemanticCells(level: string): Promise<PolysemanticCell[]> {
  const content = await loadData<Content>(`${level}/polysemantic_cells`);
  const columns = await Promise.all(COLUMNS.map((column) => decodeArray(content[column])));
  const [cell = [], first = [], second = [], firstValue = [], secondValue = [], overlap = []] = columns;
  return Array.from(cell, (number, index) => ({
    cell: number,
    classes: [
      { id: first[index] ?? -1, value: firstValue[index] ?? Number.NaN },
      { id: second[index] ?? -1, value: secondValue[index] ?? Number.NaN },
    ],
    overlap: overlap[index] ?? Number.NaN,
  }));
}
