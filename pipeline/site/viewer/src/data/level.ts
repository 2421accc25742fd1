// Cells of one grid level.

import { decodeArray, type EncodedArray, loadData, type NumberArray } from "./data-files";
import type { IconStyle } from "./icon-styles";
import type { AtlasEntry, LayerEntry } from "./manifest";

export interface ClassValue {
  readonly id: number;
  readonly value: number;
}

const COLUMNS = [
  ...(["cell", "count", "drawn", "spread", "reliability", "fidelity", "fidelity_centred"] as const),
  ...(["top_class", "top_value"] as const),
];
// recorded by some runs only
const OPTIONAL_COLUMNS = [
  ...(["legibility", "large_fidelity_centred"] as const),
  ...(["candidate", "named", "label", "label_lift"] as const),
];
type OptionalColumn = (typeof OPTIONAL_COLUMNS)[number];
type Column = (typeof COLUMNS)[number] | OptionalColumn;
type Columns = Record<(typeof COLUMNS)[number], NumberArray> & Partial<Record<OptionalColumn, NumberArray>>;

export class LevelData {
  readonly cells: number;
  private readonly cellAtPosition: Int32Array;

  constructor(
    /** `<layer>/<atlas>/<size>`: folder of the level's files. */
    readonly name: string,
    readonly size: number,
    private readonly columns: Readonly<Columns>,
  ) {
    this.cells = columns.count.length;
    this.cellAtPosition = new Int32Array(size * size).fill(-1);
    for (let cell = 0; cell < this.cells; cell++)
      this.cellAtPosition[this.row(cell) * size + this.column(cell)] = cell;
  }

  /** The cell with an icon at this row and column, or -1. */
  at(row: number, column: number): number {
    if (row < 0 || column < 0 || row >= this.size || column >= this.size) return -1;
    const cell = this.cellAtPosition[row * this.size + column] ?? -1;
    return cell >= 0 && this.hasIcon(cell) ? cell : -1;
  }

  row(cell: number): number {
    return this.number("cell", 2 * cell);
  }

  column(cell: number): number {
    return this.number("cell", 2 * cell + 1);
  }

  hasIcon(cell: number): boolean {
    return this.number("drawn", cell) === 1;
  }

  /** Whether the run recorded the column. */
  has(column: OptionalColumn): boolean {
    return this.columns[column] !== undefined;
  }

  /** Value of a cell; NaN if it is unknown. */
  value(
    column: Exclude<Column, "cell" | "top_class" | "top_value" | "candidate" | "named" | "label">,
    cell: number,
  ): number {
    return this.number(column, cell);
  }

  /** Top classes of the cell by attribution, largest first; only positive ones. */
  topClasses(cell: number): ClassValue[] {
    const listed = this.columns.top_class.length / this.cells;
    return Array.from({ length: listed }, (_, rank) => ({
      id: this.number("top_class", cell * listed + rank),
      value: this.number("top_value", cell * listed + rank),
    })).filter((entry) => entry.value > 0);
  }

  /** The classes that may name the cell, largest attribution first; several where its images do not tell them apart. */
  candidates(cell: number): ClassValue[] {
    const each = (this.columns.candidate?.length ?? 0) / this.cells;
    return this.topClasses(cell).filter(
      (_, rank) => rank < each && this.number("candidate", cell * each + rank) === 1,
    );
  }

  /** Whether the first candidate is told from all other classes. */
  isNamed(cell: number): boolean {
    return this.number("named", cell) === 1;
  }

  /** Whether attributions were recorded. */
  get hasAttributions(): boolean {
    return this.columns.candidate !== undefined;
  }

  /** The label most over-represented among the cell's samples, by how many times; null where it is not known. */
  overRepresented(cell: number): { readonly id: number; readonly lift: number } | null {
    const [id, lift] = [this.columns.label?.[cell] ?? -1, this.number("label_lift", cell)];
    return id >= 0 ? { id, lift } : null;
  }

  /** Top classes of all cells and their attributions in logits, `each` per cell. */
  get listed(): { readonly each: number; readonly classes: NumberArray; readonly values: NumberArray } {
    const { top_class: classes, top_value: values } = this.columns;
    return { each: classes.length / this.cells, classes, values };
  }

  private number(column: Column, index: number): number {
    return this.columns[column]?.[index] ?? Number.NaN;
  }
}

const levels = new Map<string, Promise<LevelData>>();

/** A grid level with its layer and atlas. */
export interface GridView {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
}

/** Load grid level `size` once; its icons' measures are those of the atlas's first style, or of another one. */
export function loadLevel(
  layer: string,
  atlas: string,
  size: number,
  style: IconStyle | undefined = undefined,
): Promise<LevelData> {
  const name = `${layer}/${atlas}/${size}`;
  const key = style ? iconsFile(name, style) : name;
  let found = levels.get(key);
  if (!found) {
    found = readLevel(name, size, style);
    found.catch(() => levels.delete(key));
    levels.set(key, found);
  }
  return found;
}

/** Data file with what the icons of another style than the first change. */
export function iconsFile(level: string, style: IconStyle): string {
  return `${level}/icons-${style}`;
}

async function readLevel(name: string, size: number, style: IconStyle | undefined): Promise<LevelData> {
  const files = [`${name}/cells`, ...(style ? [iconsFile(name, style)] : [])];
  const contents = await Promise.all(files.map((file) => loadData<Record<string, EncodedArray>>(file)));
  const content: Record<string, EncodedArray> = Object.assign({}, ...contents);
  const recorded = [...COLUMNS, ...OPTIONAL_COLUMNS].flatMap((column) => {
    const encoded = content[column];
    return encoded ? [{ column, encoded }] : [];
  });
  const arrays = await Promise.all(recorded.map(({ encoded }) => decodeArray(encoded)));
  const columns = Object.fromEntries(recorded.map(({ column }, index) => [column, arrays[index]]));
  return new LevelData(name, size, columns as unknown as Columns);
}

/** For each cell of `level` the cell of the coarser `source` that contains it; -1 if there is none. */
export function parentCells(level: LevelData, source: LevelData): Int32Array {
  const byPosition = new Int32Array(source.size * source.size).fill(-1);
  for (let cell = 0; cell < source.cells; cell++) {
    byPosition[source.row(cell) * source.size + source.column(cell)] = cell;
  }
  const ratio = level.size / source.size;
  return Int32Array.from({ length: level.cells }, (_, cell) => {
    const [row, column] = [Math.floor(level.row(cell) / ratio), Math.floor(level.column(cell) / ratio)];
    return byPosition[row * source.size + column] ?? -1;
  });
}

/**
 * The next cell with an icon in a direction: smallest distance along the direction plus twice the offset.
 *
 * @returns the cell, or the same cell at the edge of the atlas.
 */
export function nextCell(level: LevelData, cell: number, rows: number, columns: number): number {
  let [best, cost] = [cell, Number.POSITIVE_INFINITY];
  for (let other = 0; other < level.cells; other++) {
    if (!level.hasIcon(other)) continue;
    const [down, right] = [level.row(other) - level.row(cell), level.column(other) - level.column(cell)];
    const along = rows * down + columns * right;
    const aside = Math.abs(columns * down + rows * right);
    if (along > 0 && aside <= along && along + 2 * aside < cost) [best, cost] = [other, along + 2 * aside];
  }
  return best;
}

/** The cell with an icon nearest to (x, y), in units of the atlas's side; -1 if there is none. */
export function nearestCell(level: LevelData, x: number, y: number): number {
  let [best, cost] = [-1, Number.POSITIVE_INFINITY];
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.hasIcon(cell)) continue;
    const [down, right] = [
      (level.row(cell) + 0.5) / level.size - y,
      (level.column(cell) + 0.5) / level.size - x,
    ];
    if (down * down + right * right < cost) [best, cost] = [cell, down * down + right * right];
  }
  return best;
}
