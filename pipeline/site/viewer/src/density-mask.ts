// What covers the icons while a density is shown: one colour for more than expected, another for less.

import type { Density } from "./density";
import type { LevelData } from "./level-data";
import type { Colour } from "./mask";

const VEIL = 0.93;
const TINT = 0.4;

/**
 * The mask as an image of `level.size` × `level.size` pixels: paper where a cell holds what is expected of it; the
 * further from that, the clearer the icon, under the colour of the direction.
 */
export function densityMask(
  level: LevelData,
  { strength }: Density,
  intensity: number,
  { paper, over, under }: { readonly paper: Colour; readonly over: Colour; readonly under: Colour },
): ImageData {
  const image = new ImageData(level.size, level.size);
  for (let place = 0; place < level.size * level.size; place++) image.data.set([...paper, 255], 4 * place);
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.isDrawn(cell)) continue;
    const value = strength[cell] ?? 0;
    const part = Math.min(1, Math.abs(value) * intensity);
    const tint = value < 0 ? under : over;
    const pixel = paper.map(
      (from, channel) => from + ((tint[channel] ?? 0) - from) * Math.min(1, 1.6 * part),
    );
    const alpha = 255 * (VEIL + (TINT - VEIL) * part);
    image.data.set(
      [...pixel, alpha].map(Math.round),
      4 * (level.row(cell) * level.size + level.column(cell)),
    );
  }
  return image;
}
