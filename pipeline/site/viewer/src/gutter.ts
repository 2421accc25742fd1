// The paper between icons: each stands a little apart, with rounded corners. One pattern, filled once a frame.

const GAP = 0.035;
const RADIUS = 0.13;
const GONE_BELOW = 11;
const FULL_ABOVE = 24;

const tiles = new Map<string, CanvasPattern | null>();

/** Fill the square from (left, top) with the frames of its cells; `cell` is a cell's side in CSS pixels. */
export function fillGutter(
  context: CanvasRenderingContext2D,
  { left, top, side }: { left: number; top: number; side: number },
  cell: number,
  paper: string,
): void {
  const strength = Math.min(Math.max((cell - GONE_BELOW) / (FULL_ABOVE - GONE_BELOW), 0), 1);
  if (strength === 0) return;
  const pixels = 2 ** Math.min(Math.max(Math.ceil(Math.log2(cell * devicePixelRatio)), 4), 9);
  const pattern = tile(context, pixels, paper);
  if (!pattern) return;
  pattern.setTransform(new DOMMatrix().translate(left, top).scale(cell / pixels));
  context.save();
  context.globalAlpha = strength;
  context.imageSmoothingEnabled = true;
  context.fillStyle = pattern;
  context.fillRect(left, top, side, side);
  context.restore();
}

function tile(context: CanvasRenderingContext2D, pixels: number, paper: string): CanvasPattern | null {
  const name = `${pixels} ${paper}`;
  const known = tiles.get(name);
  if (known !== undefined) return known;
  const canvas = new OffscreenCanvas(pixels, pixels);
  const drawing = canvas.getContext("2d");
  if (!drawing) return null;
  drawing.fillStyle = paper;
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
  tiles.set(name, pattern);
  return pattern;
}
