// The border of a selection: closed loops around its places, and around the gaps in them.

import type { Area } from "./region-area";

/** A corner in places of the area's level, x to the right. */
export interface Vertex {
  readonly x: number;
  readonly y: number;
}

const known = new WeakMap<Area, readonly (readonly Vertex[])[]>();

/** The corners of every loop, found once; where two places touch at a corner alone, each keeps its own. */
export function outlineOf(area: Area): readonly (readonly Vertex[])[] {
  let loops = known.get(area);
  if (!loops) {
    loops = trace(area);
    known.set(area, loops);
  }
  return loops;
}

/** Steps along the border with the area on the right-hand side: east, south, west, north. */
const STEPS = [
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
  { x: 0, y: -1 },
] as const;

function trace(area: Area): Vertex[][] {
  const loops: Vertex[][] = [];
  const seen = new Set<number>();
  const visit = (start: Vertex, direction: number): void => {
    if (!seen.has(name(area, start, direction))) loops.push(loopFrom(area, start, direction, seen));
  };
  for (const { row, from, to } of area.runs) {
    for (let column = from; column <= to; column++) {
      if (!area.has(row - 1, column)) visit({ x: column, y: row }, 0); // along its upper edge
      if (!area.has(row + 1, column)) visit({ x: column + 1, y: row + 1 }, 2); // along its lower edge
    }
  }
  return loops;
}

/** Follow the border from one of its horizontal edges back to it, and keep the corners. */
function loopFrom(area: Area, start: Vertex, direction: number, seen: Set<number>): Vertex[] {
  const corners: Vertex[] = [];
  let [at, towards] = [start, direction];
  do {
    seen.add(name(area, at, towards));
    const step = STEPS[towards] ?? STEPS[0];
    at = { x: at.x + step.x, y: at.y + step.y };
    const turn = [1, 0, 3].find((by) => isBorder(area, at, (towards + by) % 4)) ?? 0;
    if (turn) corners.push(at);
    towards = (towards + turn) % 4;
  } while (at.x !== start.x || at.y !== start.y || towards !== direction);
  return corners;
}

/** The edge that leaves a corner in a direction has the area on its right and not on its left. */
function isBorder(area: Area, { x, y }: Vertex, direction: number): boolean {
  if (direction === 0) return area.has(y, x) && !area.has(y - 1, x);
  if (direction === 1) return area.has(y, x - 1) && !area.has(y, x);
  if (direction === 2) return area.has(y - 1, x - 1) && !area.has(y, x - 1);
  return area.has(y - 1, x) && !area.has(y - 1, x - 1);
}

function name({ size }: Area, { x, y }: Vertex, direction: number): number {
  return (y * (size + 1) + x) * 4 + direction;
}
