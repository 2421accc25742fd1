// A selection as its mark shows it: a gap in it where nothing is drawn is no border.

import type { LevelData } from "./level-data";
import { Area } from "./region-area";

const known = new WeakMap<Area, { readonly level: LevelData; readonly whole: Area }>();

/** The area with its enclosed gaps filled, except those that hold drawn cells; unchanged at another level. */
export function withoutGaps(area: Area, level: LevelData): Area {
  if (level.size !== area.size) return area;
  const before = known.get(area);
  if (before?.level === level) return before.whole;
  const whole = filled(area, level);
  known.set(area, { level, whole });
  return whole;
}

function filled(area: Area, level: LevelData): Area {
  const { size } = area;
  const { top, left, bottom, right } = area.bounds;
  const taken = new Uint8Array(size * size);
  for (const { row, from, to } of area.runs) taken.fill(1, row * size + from, row * size + to + 1);
  const seen = taken.slice();
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (seen[row * size + column]) continue;
      const gap = gapFrom(row * size + column, area, seen);
      const open = gap.some((at) => level.at(Math.floor(at / size), at % size) >= 0 || isEdge(at, area));
      if (!open) for (const at of gap) taken[at] = 1;
    }
  }
  return Area.of(size, taken) ?? area;
}

/** The places between the area's cells that hang together with this one, within the area's bounds. */
function gapFrom(start: number, { size, bounds }: Area, seen: Uint8Array): number[] {
  const gap = [start];
  seen[start] = 1;
  for (const at of gap) {
    const [row, column] = [Math.floor(at / size), at % size];
    const around = [
      row > bounds.top && at - size,
      row < bounds.bottom && at + size,
      column > bounds.left && at - 1,
      column < bounds.right && at + 1,
    ];
    for (const next of around) {
      if (next === false || seen[next]) continue;
      seen[next] = 1;
      gap.push(next);
    }
  }
  return gap;
}

/** A place on the rim of the area's bounds: a gap that reaches it is no gap, but lies outside. */
function isEdge(at: number, { size, bounds }: Area): boolean {
  const [row, column] = [Math.floor(at / size), at % size];
  return row === bounds.top || row === bounds.bottom || column === bounds.left || column === bounds.right;
}
