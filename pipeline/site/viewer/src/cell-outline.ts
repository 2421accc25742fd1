// The outline of one cell.

import type { Frame } from "./picture";
import type { CellAddress } from "./state";

/** Draw it `width` CSS pixels wide, with a halo on both sides. */
export function outline(
  context: CanvasRenderingContext2D,
  frame: Frame,
  cell: CellAddress,
  colour: string,
  width: number,
  halo: string,
): void {
  const side = frame.side / cell.size;
  context.beginPath();
  const [left, top] = [frame.left + cell.column * side, frame.top + cell.row * side];
  context.roundRect(left, top, side, side, Math.min(0.16 * side, 14));
  context.strokeStyle = halo;
  context.lineWidth = width + 3;
  context.stroke();
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}
