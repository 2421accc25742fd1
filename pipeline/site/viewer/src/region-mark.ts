// A region on the picture: what lies outside steps back, and a line runs around it.

import type { Frame } from "./picture";
import type { Area } from "./region-area";
import { outlineOf, type Vertex } from "./region-outline";

/** A region that is being drawn. */
export interface Draft {
  readonly area: Area | null;
  /** Where the free hand went, in shares of the atlas; empty for a rectangle. */
  readonly trail: readonly Vertex[];
}

interface Marks {
  readonly accent: string;
  readonly paper: string;
}

const STEP_BACK = 0.62;

export function markRegion(context: CanvasRenderingContext2D, frame: Frame, area: Area, marks: Marks): void {
  const border = loops(frame, area);
  const width = Math.min(Math.max((0.16 * frame.side) / area.size, 2), 3);
  const outside = new Path2D();
  outside.rect(frame.left, frame.top, frame.side, frame.side);
  outside.addPath(border);
  context.save();
  context.globalAlpha = STEP_BACK;
  context.fillStyle = marks.paper;
  context.fill(outside, "evenodd");
  context.globalAlpha = 1;
  context.strokeStyle = marks.paper;
  context.lineWidth = width + 3;
  context.stroke(border);
  context.strokeStyle = marks.accent;
  context.lineWidth = width;
  context.stroke(border);
  context.restore();
}

/** The way that the free hand went, and faintly how it would close. */
export function markTrail(
  context: CanvasRenderingContext2D,
  frame: Frame,
  trail: readonly Vertex[],
  marks: Marks,
): void {
  const [first, last] = [trail[0], trail.at(-1)];
  if (!first || !last) return;
  const [x, y] = [
    (at: Vertex) => frame.left + at.x * frame.side,
    (at: Vertex) => frame.top + at.y * frame.side,
  ];
  context.save();
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = marks.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const at of trail) context.lineTo(x(at), y(at));
  context.stroke();
  context.setLineDash([2, 5]);
  context.beginPath();
  context.moveTo(x(last), y(last));
  context.lineTo(x(first), y(first));
  context.stroke();
  context.restore();
}

/** The border in CSS pixels, its corners rounded as those of icons are. */
function loops({ left, top, side }: Frame, area: Area): Path2D {
  const path = new Path2D();
  const place = side / area.size;
  const radius = Math.min(0.16 * place, 14);
  for (const corners of outlineOf(area)) {
    const points = corners.map(({ x, y }) => ({ x: left + x * place, y: top + y * place }));
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
