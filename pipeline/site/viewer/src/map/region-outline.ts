// Selected region on the map: dimmed surroundings and an outline.

import { Area } from "../data/area";
import type { LevelData } from "../data/level";
import type { Frame } from "./frame";

/** Region being drawn. */
export interface RegionDraft {
  readonly area: Area | null;
  /** Path of the lasso, in units of the atlas's side; empty for a rectangle. */
  readonly path: readonly Point[];
}

interface Marks {
  readonly accent: string;
  readonly background: string;
}

const OUTSIDE_OPACITY = 0.62;

export function drawRegion(context: CanvasRenderingContext2D, frame: Frame, area: Area, marks: Marks): void {
  const border = borderPath(frame, area);
  const width = Math.min(Math.max((0.16 * frame.side) / area.size, 2), 3);
  const outside = new Path2D();
  outside.rect(frame.left, frame.top, frame.side, frame.side);
  outside.addPath(border);
  context.save();
  context.globalAlpha = OUTSIDE_OPACITY;
  context.fillStyle = marks.background;
  context.fill(outside, "evenodd");
  context.globalAlpha = 1;
  context.strokeStyle = marks.background;
  context.lineWidth = width + 3;
  context.stroke(border);
  context.strokeStyle = marks.accent;
  context.lineWidth = width;
  context.stroke(border);
  context.restore();
}

/** Path of the lasso, and a dashed line that closes it. */
export function drawPath(
  context: CanvasRenderingContext2D,
  frame: Frame,
  path: readonly Point[],
  marks: Marks,
): void {
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last) return;
  const [x, y] = [
    (at: Point) => frame.left + at.x * frame.side,
    (at: Point) => frame.top + at.y * frame.side,
  ];
  context.save();
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = marks.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const at of path) context.lineTo(x(at), y(at));
  context.stroke();
  context.setLineDash([2, 5]);
  context.beginPath();
  context.moveTo(x(last), y(last));
  context.lineTo(x(first), y(first));
  context.stroke();
  context.restore();
}

/** Outline in CSS pixels, with corners rounded like those of icons. */
function borderPath({ left, top, side }: Frame, area: Area): Path2D {
  const path = new Path2D();
  const cellSide = side / area.size;
  const radius = Math.min(0.16 * cellSide, 14);
  for (const corners of traceOutline(area)) {
    const points = corners.map(({ x, y }) => ({ x: left + x * cellSide, y: top + y * cellSide }));
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) continue;
    path.moveTo((first.x + last.x) / 2, (first.y + last.y) / 2);
    points.forEach((at, index) => {
      const next = points[index + 1] ?? first;
      path.arcTo(at.x, at.y, next.x, next.y, radius);
    });
    path.closePath();
  }
  return path;
}

// Outline of an area: closed loops around its positions and its holes.

/** A corner in grid positions of the area's level, x to the right. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const outlines = new WeakMap<Area, readonly (readonly Point[])[]>();

/** Corners of all loops, cached; positions that touch only at a corner have separate corners. */
export function traceOutline(area: Area): readonly (readonly Point[])[] {
  let loops = outlines.get(area);
  if (!loops) {
    loops = traceLoops(area);
    outlines.set(area, loops);
  }
  return loops;
}

/** Steps along the border with the area on the right: east, south, west, north. */
const STEPS = [
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
  { x: 0, y: -1 },
] as const;

function traceLoops(area: Area): Point[][] {
  const loops: Point[][] = [];
  const seen = new Set<number>();
  const visit = (start: Point, direction: number): void => {
    if (!seen.has(edgeKey(area, start, direction))) loops.push(followBorder(area, start, direction, seen));
  };
  for (const { row, from, to } of area.runs) {
    for (let column = from; column <= to; column++) {
      if (!area.has(row - 1, column)) visit({ x: column, y: row }, 0); // upper edge
      if (!area.has(row + 1, column)) visit({ x: column + 1, y: row + 1 }, 2); // lower edge
    }
  }
  return loops;
}

/** Follow the border from one of its horizontal edges back to it, and keep the corners. */
function followBorder(area: Area, start: Point, direction: number, seen: Set<number>): Point[] {
  const corners: Point[] = [];
  let [at, towards] = [start, direction];
  do {
    seen.add(edgeKey(area, at, towards));
    const step = STEPS[towards] ?? STEPS[0];
    at = { x: at.x + step.x, y: at.y + step.y };
    const turn = [1, 0, 3].find((by) => isBorder(area, at, (towards + by) % 4)) ?? 0;
    if (turn) corners.push(at);
    towards = (towards + turn) % 4;
  } while (at.x !== start.x || at.y !== start.y || towards !== direction);
  return corners;
}

/** Whether the edge that leaves a corner in a direction has the area on its right and not on its left. */
function isBorder(area: Area, { x, y }: Point, direction: number): boolean {
  if (direction === 0) return area.has(y, x) && !area.has(y - 1, x);
  if (direction === 1) return area.has(y, x - 1) && !area.has(y, x);
  if (direction === 2) return area.has(y - 1, x - 1) && !area.has(y, x - 1);
  return area.has(y - 1, x) && !area.has(y - 1, x - 1);
}

function edgeKey({ size }: Area, { x, y }: Point, direction: number): number {
  return (y * (size + 1) + x) * 4 + direction;
}

// Holes without icons are not outlined.

const filledAreas = new WeakMap<Area, { readonly level: LevelData; readonly filled: Area }>();

/** The area with its enclosed holes filled, except those with icons; unchanged at another level. */
export function fillHoles(area: Area, level: LevelData): Area {
  if (level.size !== area.size) return area;
  const before = filledAreas.get(area);
  if (before?.level === level) return before.filled;
  const filled = fillEnclosed(area, level);
  filledAreas.set(area, { level, filled });
  return filled;
}

function fillEnclosed(area: Area, level: LevelData): Area {
  const { size } = area;
  const { top, left, bottom, right } = area.bounds;
  const selected = new Uint8Array(size * size);
  for (const { row, from, to } of area.runs) selected.fill(1, row * size + from, row * size + to + 1);
  const seen = selected.slice();
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (seen[row * size + column]) continue;
      const gap = connectedGap(row * size + column, area, seen);
      const open = gap.some(
        (at) => level.at(Math.floor(at / size), at % size) >= 0 || touchesBounds(at, area),
      );
      if (!open) for (const at of gap) selected[at] = 1;
    }
  }
  return Area.of(size, selected) ?? area;
}

/** Connected positions outside the area but within its bounds. */
function connectedGap(start: number, { size, bounds }: Area, seen: Uint8Array): number[] {
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

/** Whether a position touches the bounds of the area, so that its gap is not enclosed. */
function touchesBounds(at: number, { size, bounds }: Area): boolean {
  const [row, column] = [Math.floor(at / size), at % size];
  return row === bounds.top || row === bounds.bottom || column === bounds.left || column === bounds.right;
}
