// Cells inside a freehand path.

import { Area } from "../data/area";
import type { LevelData } from "../data/level";
import type { Point } from "../map/region-outline";

/**
 * Cells with an icon whose center is inside the path, closed by a straight line; if there are none, the cells on the
 * path. Null if there are none either.
 *
 * @param path in units of the atlas's side.
 */
export function selectWithLasso(level: LevelData, path: readonly Point[]): Area | null {
  const { size } = level;
  const selected = new Uint8Array(size * size);
  for (let row = 0; row < size; row++) {
    for (const [from, to] of spansInside(path, (row + 0.5) / size)) {
      const last = Math.min(Math.ceil(to * size - 0.5) - 1, size - 1);
      for (let column = Math.max(Math.ceil(from * size - 0.5), 0); column <= last; column++) {
        if (level.at(row, column) >= 0) selected[row * size + column] = 1;
      }
    }
  }
  return Area.of(size, selected) ?? Area.of(size, cellsOnPath(level, path));
}

/** Intervals of x inside a loop at height `y`, by nonzero winding number. */
function spansInside(loop: readonly Point[], y: number): [number, number][] {
  const crossings: { x: number; turn: number }[] = [];
  loop.forEach((from, index) => {
    const to = loop[(index + 1) % loop.length] ?? from;
    if (from.y <= y === to.y <= y) return;
    const share = (y - from.y) / (to.y - from.y);
    crossings.push({ x: from.x + share * (to.x - from.x), turn: from.y <= y ? 1 : -1 });
  });
  crossings.sort((one, other) => one.x - other.x);
  const spans: [number, number][] = [];
  let winding = 0;
  crossings.forEach(({ x, turn }, index) => {
    winding += turn;
    const next = crossings[index + 1];
    if (winding && next) spans.push([x, next.x]);
  });
  return spans;
}

function cellsOnPath(level: LevelData, path: readonly Point[]): Uint8Array {
  const { size } = level;
  const selected = new Uint8Array(size * size);
  path.forEach((from, index) => {
    const to = path[index + 1] ?? from;
    const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) * size * 4) + 1;
    for (let step = 0; step < steps; step++) {
      const column = Math.floor((from.x + ((to.x - from.x) * step) / steps) * size);
      const row = Math.floor((from.y + ((to.y - from.y) * step) / steps) * size);
      if (level.at(row, column) >= 0) selected[row * size + column] = 1;
    }
  });
  return selected;
}
