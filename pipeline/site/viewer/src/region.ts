// A region of the atlas: what its cells say together.

import type { ClassValue, LevelData } from "./level-data";
import type { Box } from "./state";

export interface Region {
  readonly samples: number;
  /** Cells that hold samples, and those of them that have an icon. */
  readonly cells: number;
  readonly drawn: number;
  /**
   * The strongest classes: mean over the samples of what their cells list for the class. A cell lists only its few
   * strongest classes; where it does not list a class, 0 is counted.
   */
  readonly classes: readonly ClassValue[];
}

const LISTED = 6;

/** Sum up the cells of `level` in a rectangle of its cells. */
export function region(level: LevelData, box: Box): Region {
  let [samples, cells, drawn] = [0, 0, 0];
  const sums = new Map<number, number>();
  for (let cell = 0; cell < level.cells; cell++) {
    if (!holds(box, level.row(cell), level.column(cell))) continue;
    const weight = level.value("count", cell);
    samples += weight;
    cells += 1;
    drawn += level.isDrawn(cell) ? 1 : 0;
    for (const { id, value } of level.topClasses(cell)) sums.set(id, (sums.get(id) ?? 0) + weight * value);
  }
  const classes = Array.from(sums, ([id, sum]) => ({ id, value: sum / samples }));
  classes.sort((one, other) => other.value - one.value || one.id - other.id);
  return { samples, cells, drawn, classes: classes.slice(0, LISTED) };
}

/** The region between two corners, in any order. */
export function between(size: number, one: Corner, other: Corner): Box {
  return {
    size,
    top: Math.min(one.row, other.row),
    left: Math.min(one.column, other.column),
    bottom: Math.max(one.row, other.row),
    right: Math.max(one.column, other.column),
  };
}

export interface Corner {
  readonly row: number;
  readonly column: number;
}

/** Its width and height in words. */
export function extent({ top, left, bottom, right }: Box): string {
  const [wide, high] = [right - left + 1, bottom - top + 1];
  return wide * high === 1 ? "1 cell" : `${wide} × ${high} cells`;
}

function holds(box: Box, row: number, column: number): boolean {
  return row >= box.top && row <= box.bottom && column >= box.left && column <= box.right;
}
