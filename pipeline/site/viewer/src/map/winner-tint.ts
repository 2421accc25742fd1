// Several classes on one map: zoomed out, each cell is tinted in the color of its winning class; zoomed in, it is
// framed in that color and the icon is visible.

import { findWinners, type Winners } from "../data/attribution";
import type { LevelData } from "../data/level";
import type { Scene } from "../state/scene";
import type { Color } from "../ui/colors";
import type { Frame } from "./frame";

const FAR_MAX_SIDE = 14; // a cell's side, CSS pixels
const NEAR_MIN_SIDE = 52;
const TINT_FAR = 0.66;
const TINT_NEAR = 0.1; // remaining tint inside the frame
const EXPONENTS = { tint: 0.5, icon: 0.6 }; // exponents: weak winners keep their color and their icon
const FRAME = 0.085; // of a cell's side, including the gap between icons
const RADIUS = 0.1;

/** Tint as an image of `level.size` × `level.size` pixels: color of the winner, opacity by its share. */
function createTint(
  level: LevelData,
  { winner, share }: Winners,
  intensity: number,
  colors: readonly Color[],
): ImageData {
  const image = new ImageData(level.size, level.size);
  for (let cell = 0; cell < level.cells; cell++) {
    const color = colors[winner[cell] ?? -1];
    if (!color || !level.hasIcon(cell)) continue;
    const strength = Math.min(1, (share[cell] ?? 0) * intensity) ** EXPONENTS.tint;
    const at = 4 * (level.row(cell) * level.size + level.column(cell));
    [image.data[at], image.data[at + 1], image.data[at + 2]] = color;
    image.data[at + 3] = Math.round(255 * strength);
  }
  return image;
}

export class WinnerTint {
  private readonly tintCanvas = document.createElement("canvas");
  private several = false;

  /**
   * Rebuild the tint.
   *
   * @param color the channels of a custom property.
   * @returns brightness of a cell's icon, 0..1; null unless several classes are highlighted.
   */
  rebuild(
    { level, highlights }: Scene,
    sign: 1 | -1,
    intensity: number,
    color: (name: string) => Color,
  ): ((cell: number) => number) | null {
    this.several = highlights.length > 1;
    if (!this.several) return null;
    const found = findWinners(
      highlights.map(({ heatmap }) => heatmap),
      sign,
    );
    const hues = highlights.map(({ hue }) => color(`--class-${hue + 1}`));
    [this.tintCanvas.width, this.tintCanvas.height] = [level.size, level.size];
    this.tintCanvas.getContext("2d")?.putImageData(createTint(level, found, intensity, hues), 0, 0);
    return (cell) => Math.min(1, (found.share[cell] ?? 0) * intensity) ** EXPONENTS.icon;
  }

  /** Draw on an empty context; `cell` is a cell's side in CSS pixels. */
  draw(context: CanvasRenderingContext2D, frame: Frame, cell: number): void {
    if (!this.several) return;
    const near = smoothstep((cell - FAR_MAX_SIDE) / (NEAR_MIN_SIDE - FAR_MAX_SIDE));
    context.save();
    context.globalAlpha = TINT_FAR + (1 - TINT_FAR) * near;
    context.drawImage(this.tintCanvas, frame.left, frame.top, frame.side, frame.side);
    if (near > 0) clearInterior(context, frame, cell, (1 - TINT_NEAR) * near);
    context.restore();
  }
}

/** Remove part of the tint from the interior of every cell. */
function clearInterior(
  context: CanvasRenderingContext2D,
  { left, top, side }: Frame,
  cell: number,
  part: number,
): void {
  const pixels = 2 ** Math.min(Math.max(Math.ceil(Math.log2(cell * devicePixelRatio)), 4), 9);
  const pattern = createInteriorPattern(context, pixels);
  if (!pattern) return;
  pattern.setTransform(new DOMMatrix().translate(left, top).scale(cell / pixels));
  context.globalCompositeOperation = "destination-out";
  context.imageSmoothingEnabled = true;
  context.globalAlpha = part;
  context.fillStyle = pattern;
  context.fillRect(left, top, side, side);
}

const patterns = new Map<number, CanvasPattern | null>();

function createInteriorPattern(context: CanvasRenderingContext2D, pixels: number): CanvasPattern | null {
  const known = patterns.get(pixels);
  if (known !== undefined) return known;
  const canvas = new OffscreenCanvas(pixels, pixels);
  const drawing = canvas.getContext("2d");
  const [edge, side] = [FRAME * pixels, (1 - 2 * FRAME) * pixels];
  drawing?.roundRect(edge, edge, side, side, RADIUS * pixels);
  drawing?.fill();
  const pattern = context.createPattern(canvas, "repeat");
  patterns.set(pixels, pattern);
  return pattern;
}

function smoothstep(part: number): number {
  const within = Math.min(Math.max(part, 0), 1);
  return within * within * (3 - 2 * within);
}
