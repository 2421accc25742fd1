// A region on the picture: what lies outside steps back.

import type { Frame } from "./picture";
import type { Box } from "./state";

const STEP_BACK = 0.62;

export function markRegion(
  context: CanvasRenderingContext2D,
  frame: Frame,
  box: Box,
  colours: { readonly accent: string; readonly paper: string },
): void {
  const side = frame.side / box.size;
  const [left, top] = [frame.left + box.left * side, frame.top + box.top * side];
  const [wide, high] = [(box.right - box.left + 1) * side, (box.bottom - box.top + 1) * side];
  const radius = Math.min(0.16 * side, 14);
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.side, frame.side);
  context.roundRect(left, top, wide, high, radius);
  context.globalAlpha = STEP_BACK;
  context.fillStyle = colours.paper;
  context.fill("evenodd");
  context.globalAlpha = 1;
  context.beginPath();
  context.roundRect(left, top, wide, high, radius);
  context.strokeStyle = colours.paper;
  context.lineWidth = 6;
  context.stroke();
  context.strokeStyle = colours.accent;
  context.lineWidth = 3;
  context.stroke();
  context.restore();
}
