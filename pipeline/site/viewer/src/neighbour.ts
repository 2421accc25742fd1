// The next drawn cell in a direction.

import type { LevelData } from "./level-data";

/**
 * The drawn cell that lies furthest along the direction and least to its side: what an eye moving there meets first.
 *
 * @returns the cell, or the same one at the edge of the atlas.
 */
export function neighbour(level: LevelData, cell: number, rows: number, columns: number): number {
  let [best, cost] = [cell, Number.POSITIVE_INFINITY];
  for (let other = 0; other < level.cells; other++) {
    if (!level.isDrawn(other)) continue;
    const [down, right] = [level.row(other) - level.row(cell), level.column(other) - level.column(cell)];
    const along = rows * down + columns * right;
    const aside = Math.abs(columns * down + rows * right);
    if (along > 0 && aside <= along && along + 2 * aside < cost) [best, cost] = [other, along + 2 * aside];
  }
  return best;
}

/** The drawn cell nearest to a place, in sides of the atlas; -1 if none is drawn. */
export function nearest(level: LevelData, x: number, y: number): number {
  let [best, cost] = [-1, Number.POSITIVE_INFINITY];
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.isDrawn(cell)) continue;
    const [down, right] = [
      (level.row(cell) + 0.5) / level.size - y,
      (level.column(cell) + 0.5) / level.size - x,
    ];
    if (down * down + right * right < cost) [best, cost] = [cell, down * down + right * right];
  }
  return best;
}
