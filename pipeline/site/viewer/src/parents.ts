// The cells of a coarser grid that the cells of a finer one lie in.

import type { LevelData } from "./level-data";

/** For each cell of `level` the cell of `source` around it, drawn or not; -1 where there is none. */
export function parents(level: LevelData, source: LevelData): Int32Array {
  const byPlace = new Int32Array(source.size * source.size).fill(-1);
  for (let cell = 0; cell < source.cells; cell++) {
    byPlace[source.row(cell) * source.size + source.column(cell)] = cell;
  }
  const ratio = level.size / source.size;
  return Int32Array.from({ length: level.cells }, (_, cell) => {
    const [row, column] = [Math.floor(level.row(cell) / ratio), Math.floor(level.column(cell) / ratio)];
    return byPlace[row * source.size + column] ?? -1;
  });
}
