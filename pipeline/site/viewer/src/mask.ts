// What covers the icons: one pixel a cell, opaque where nothing is drawn, half clear where the class is weak.

import type { Heat } from "./heat";
import type { LevelData } from "./level-data";

export type Colour = readonly [number, number, number];

const VEIL = 0.93;

/** How brightly a cell is shown, 0..1: its attribution of the chosen sign, or 1 without a class. */
export function brightness(heat: Heat | null, sign: 1 | -1, intensity: number, cell: number): number {
  if (!heat) return 1;
  return Math.min(1, Math.max(0, sign * (heat.share[cell] ?? 0)) * intensity);
}

/** The mask as an image of `level.size` × `level.size` pixels. */
export function mask(level: LevelData, paper: Colour, shown: (cell: number) => number): ImageData {
  const image = new ImageData(level.size, level.size);
  const { data } = image;
  const [red, green, blue] = paper;
  for (let at = 0; at < data.length; at += 4) {
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = 255;
  }
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.isDrawn(cell)) continue;
    const place = level.row(cell) * level.size + level.column(cell);
    data[4 * place + 3] = Math.round(255 * VEIL * (1 - shown(cell)));
  }
  return image;
}
