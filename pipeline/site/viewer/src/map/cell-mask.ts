// Mask over the icons, one pixel per cell: opaque for cells without an icon, translucent for weak attributions.

import type { Heatmap } from "../data/attribution";
import type { Density } from "../data/density";
import type { LevelData } from "../data/level";
import type { Color } from "../ui/colors";

const MASK_OPACITY = 0.93;

/** Brightness of a cell, 0..1: its attribution of the chosen sign, or 1 without a class. */
export function cellBrightness(
  heatmap: Heatmap | null,
  sign: 1 | -1,
  intensity: number,
  cell: number,
): number {
  if (!heatmap) return 1;
  return Math.min(1, Math.max(0, sign * (heatmap.share[cell] ?? 0)) * intensity);
}

/** Mask as an image of `level.size` × `level.size` pixels. */
export function cellMask(level: LevelData, background: Color, shown: (cell: number) => number): ImageData {
  const image = new ImageData(level.size, level.size);
  const { data } = image;
  const [red, green, blue] = background;
  for (let at = 0; at < data.length; at += 4) {
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = 255;
  }
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.hasIcon(cell)) continue;
    const position = level.row(cell) * level.size + level.column(cell);
    data[4 * position + 3] = Math.round(255 * MASK_OPACITY * (1 - shown(cell)));
  }
  return image;
}

// Mask of a density: one color for more than expected, another for less.

const TINT_OPACITY = 0.4;

/**
 * Mask as an image of `level.size` × `level.size` pixels: background color where the share is as expected; the larger
 * the difference, the more transparent, in the color of its sign.
 */
export function createDensityMask(
  level: LevelData,
  { strength }: Density,
  intensity: number,
  { background, over, under }: { readonly background: Color; readonly over: Color; readonly under: Color },
): ImageData {
  const image = new ImageData(level.size, level.size);
  for (let position = 0; position < level.size * level.size; position++)
    image.data.set([...background, 255], 4 * position);
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.hasIcon(cell)) continue;
    const value = strength[cell] ?? 0;
    const part = Math.min(1, Math.abs(value) * intensity);
    const tint = value < 0 ? under : over;
    const pixel = background.map(
      (from, channel) => from + ((tint[channel] ?? 0) - from) * Math.min(1, 1.6 * part),
    );
    const alpha = 255 * (MASK_OPACITY + (TINT_OPACITY - MASK_OPACITY) * part);
    image.data.set(
      [...pixel, alpha].map(Math.round),
      4 * (level.row(cell) * level.size + level.column(cell)),
    );
  }
  return image;
}
