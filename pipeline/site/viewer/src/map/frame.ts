// Geometry of the atlas on the canvas, and the shapes drawn per cell.

import type { CellAddress } from "../data/area";
import type { SharedSamples } from "../data/related-cells";

/** Position of the whole atlas in the window, CSS pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** Outline of a cell, `width` CSS pixels wide, with a halo on both sides. */
export function strokeCell(
  context: CanvasRenderingContext2D,
  frame: Frame,
  cell: CellAddress,
  color: string,
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
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
}

// Gaps between icons, with rounded corners: one pattern, filled once per frame.

const GAP = 0.035;
const RADIUS = 0.13;
const INVISIBLE_BELOW = 11;
const OPAQUE_ABOVE = 24;

const patterns = new Map<string, CanvasPattern | null>();

/** Fill the square at (left, top) with the gaps of its cells; `cell` is a cell's side in CSS pixels. */
export function fillCellGaps(
  context: CanvasRenderingContext2D,
  { left, top, side }: { left: number; top: number; side: number },
  cell: number,
  background: string,
): void {
  const strength = Math.min(Math.max((cell - INVISIBLE_BELOW) / (OPAQUE_ABOVE - INVISIBLE_BELOW), 0), 1);
  if (strength === 0) return;
  const pixels = 2 ** Math.min(Math.max(Math.ceil(Math.log2(cell * devicePixelRatio)), 4), 9);
  const pattern = createGapPattern(context, pixels, background);
  if (!pattern) return;
  pattern.setTransform(new DOMMatrix().translate(left, top).scale(cell / pixels));
  context.save();
  context.globalAlpha = strength;
  context.imageSmoothingEnabled = true;
  context.fillStyle = pattern;
  context.fillRect(left, top, side, side);
  context.restore();
}

function createGapPattern(
  context: CanvasRenderingContext2D,
  pixels: number,
  background: string,
): CanvasPattern | null {
  const name = `${pixels} ${background}`;
  const known = patterns.get(name);
  if (known !== undefined) return known;
  const canvas = new OffscreenCanvas(pixels, pixels);
  const drawing = canvas.getContext("2d");
  if (!drawing) return null;
  drawing.fillStyle = background;
  drawing.fillRect(0, 0, pixels, pixels);
  drawing.globalCompositeOperation = "destination-out";
  drawing.beginPath();
  drawing.roundRect(
    GAP * pixels,
    GAP * pixels,
    (1 - 2 * GAP) * pixels,
    (1 - 2 * GAP) * pixels,
    RADIUS * pixels,
  );
  drawing.fill();
  const pattern = context.createPattern(canvas, "repeat");
  patterns.set(name, pattern);
  return pattern;
}

// Marks of cells that contain samples of a cell in the other map; opacity by share.

const MIN_OPACITY = 0.4;

export function drawSharedSamples(
  context: CanvasRenderingContext2D,
  frame: Frame,
  shared: readonly SharedSamples[],
  { foreground, background }: { readonly foreground: string; readonly background: string },
): void {
  const most = Math.max(...shared.map(({ share }) => share));
  context.save();
  for (const { cell, share } of [...shared].reverse()) {
    context.globalAlpha = MIN_OPACITY + (1 - MIN_OPACITY) * (share / most);
    strokeCell(context, frame, cell, foreground, 2, background);
  }
  context.restore();
}
