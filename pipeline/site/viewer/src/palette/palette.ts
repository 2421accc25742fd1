// A palette: cells of a layer's atlas of all samples, and a grid of labels that names one of them for each square.

import type { CellAddress } from "../data/area";

export const MOST_CELLS = 8;
export const [FEWEST_LINES, MOST_LINES] = [2, 8] as const; // rows and columns of the label grid
const FIRST_LINES = 3;

export interface Palette {
  readonly cells: readonly CellAddress[];
  /** Rows of numbers of the cells. */
  readonly labels: readonly (readonly number[])[];
  /** Whether a square was painted; until then the cells share the grid evenly. */
  readonly painted: boolean;
  /** Number of the cell that squares are painted with. */
  readonly brush: number;
}

export const EMPTY: Palette = spread({
  cells: [],
  labels: Array.from({ length: FIRST_LINES }, () => Array<number>(FIRST_LINES).fill(0)),
  painted: false,
  brush: 0,
});

export function indexOfCell({ cells }: Palette, { size, row, column }: CellAddress): number {
  return cells.findIndex((cell) => cell.size === size && cell.row === row && cell.column === column);
}

/** With a cell more, which is then the brush; the same palette where it has the cell, or is full. */
export function withCell(palette: Palette, cell: CellAddress): Palette {
  if (indexOfCell(palette, cell) >= 0 || palette.cells.length >= MOST_CELLS) return palette;
  const cells = [...palette.cells, cell];
  return spread({ ...palette, cells, brush: cells.length - 1 });
}

/** Without a cell; its squares get the first of those that are left. */
export function withoutCell(palette: Palette, index: number): Palette {
  const cells = palette.cells.filter((_, number) => number !== index);
  const moved = (number: number): number => (number === index ? 0 : number - Number(number > index));
  const labels = palette.labels.map((line) => line.map(moved));
  return spread({
    ...palette,
    cells,
    labels,
    brush: moved(palette.brush),
    painted: palette.painted && cells.length > 0,
  });
}

/** With the grid in another size; new squares repeat the last row and column. */
export function resized(palette: Palette, rows: number, columns: number): Palette {
  const { labels } = palette;
  const at = (row: number, column: number): number => {
    const line = labels[Math.min(row, labels.length - 1)] ?? [];
    return line[Math.min(column, line.length - 1)] ?? 0;
  };
  const grid = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (__, column) => at(row, column)),
  );
  return spread({ ...palette, labels: grid });
}

/** With a square painted with the brush. */
export function withSquare(palette: Palette, row: number, column: number): Palette {
  const { brush } = palette;
  const labels = palette.labels.map((line, down) =>
    line.map((label, across) => (down === row && across === column ? brush : label)),
  );
  return { ...palette, labels, painted: true };
}

/** The cells share a grid that nobody has painted yet: one after the other, row by row. */
function spread(palette: Palette): Palette {
  const { cells, labels, painted } = palette;
  if (painted) return palette;
  const squares = labels.length * (labels[0]?.length ?? 0);
  const shared = labels.map((line, row) =>
    line.map((_, column) => Math.floor(((row * line.length + column) * cells.length) / squares)),
  );
  return { ...palette, labels: shared };
}
