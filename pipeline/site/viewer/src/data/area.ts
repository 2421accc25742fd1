// Set of grid positions of a level: the geometry of a selection.

/** Rectangle of cells at a grid level; both corners are included. */
export interface Box {
  readonly size: number;
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export interface CellAddress {
  readonly size: number;
  readonly row: number;
  readonly column: number;
}

/** Position as text. Rows and columns count from 0, as in the artifacts, the CSV, the commands and the URL. */
export function describePosition({ row, column }: Pick<CellAddress, "row" | "column">): string {
  return `row ${row}, column ${column}`;
}

/** Adjacent positions in one row; both ends are included. */
export interface Run {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** Non-empty, immutable set of the `size` × `size` positions of a level, with or without icons. */
export class Area {
  /** In row-major order; runs do not touch. */
  readonly runs: readonly Run[];
  readonly bounds: Box;
  readonly positions: number;

  private constructor(
    readonly size: number,
    private readonly selected: Uint8Array,
    runs: readonly [Run, ...Run[]],
  ) {
    this.runs = runs;
    this.positions = runs.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    this.bounds = {
      size,
      top: runs[0].row,
      left: runs.reduce((least, { from }) => Math.min(least, from), size),
      bottom: (runs.at(-1) ?? runs[0]).row,
      right: runs.reduce((most, { to }) => Math.max(most, to), 0),
    };
  }

  /** The positions whose entry in `selected` (row-major) is not 0; null if there are none. */
  static of(size: number, selected: Uint8Array): Area | null {
    const [first, ...others] = runsOf(size, selected);
    return first ? new Area(size, selected, [first, ...others]) : null;
  }

  static box(box: Box): Area {
    const { size, top, left, bottom, right } = box;
    const selected = new Uint8Array(size * size);
    for (let row = top; row <= bottom; row++) selected.fill(1, row * size + left, row * size + right + 1);
    const found = Area.of(size, selected);
    if (!found) throw new Error("a box contains at least one cell");
    return found;
  }

  has(row: number, column: number): boolean {
    if (row < 0 || column < 0 || row >= this.size || column >= this.size) return false;
    return this.selected[row * this.size + column] === 1;
  }

  /** Whether it is a rectangle without gaps. */
  get isBox(): boolean {
    const { top, left, bottom, right } = this.bounds;
    return this.positions === (bottom - top + 1) * (right - left + 1);
  }

  /** Union with another area of the same level. */
  plus(other: Area): Area {
    const selected = this.selected.slice();
    for (const { row, from, to } of other.runs)
      selected.fill(1, row * this.size + from, row * this.size + to + 1);
    return Area.of(this.size, selected) ?? this;
  }

  /** With one position added or removed. */
  toggled(row: number, column: number): Area | null {
    const selected = this.selected.slice();
    selected[row * this.size + column] = this.has(row, column) ? 0 : 1;
    return Area.of(this.size, selected);
  }

  /** The same area at another level; null if neither cell size divides the other. */
  at(size: number): Area | null {
    const times = size / this.size;
    if (times === 1) return this;
    if (!Number.isInteger(times)) return null;
    const selected = new Uint8Array(size * size);
    for (const { row, from, to } of this.runs) {
      for (let fine = row * times; fine < (row + 1) * times; fine++) {
        selected.fill(1, fine * size + from * times, fine * size + (to + 1) * times);
      }
    }
    return Area.of(size, selected);
  }
}

function runsOf(size: number, selected: Uint8Array): Run[] {
  const runs: Run[] = [];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (!selected[row * size + column]) continue;
      const from = column;
      while (column + 1 < size && selected[row * size + column + 1]) column++;
      runs.push({ row, from, to: column });
    }
  }
  return runs;
}
