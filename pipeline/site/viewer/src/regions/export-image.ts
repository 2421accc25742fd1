// A region as one picture: the icons of its drawn cells at their places on the page's paper, and a line that says what
// they are.

import type { Area, Box } from "../data/area";
import type { LevelData } from "../data/level";
import { floorFor, loadImage, tilesOver } from "../data/tiles";
import { fillGutter } from "../map/frame";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";

const LONGEST = 4096; // pixels
const SHORTEST = 1280;
const LARGEST = 4; // times an icon is enlarged at most
const MARGIN = 32;

export interface Ink {
  readonly paper: string;
  readonly soft: string;
  readonly font: string;
}

/**
 * The picture as PNG.
 *
 * @throws DOMException "SecurityError" where the page may not read its tiles, as from disk.
 */
export async function picture(scene: Scene, area: Area, caption: string, ink: Ink): Promise<Blob> {
  const { level } = scene;
  const entry = scene.atlas.levels.find(({ size }) => size === level.size);
  const box = drawnBounds(level, area);
  if (!entry || !box) throw new Error("no cell of this region has an icon");
  const [wide, high] = [box.right - box.left + 1, box.bottom - box.top + 1];
  const floor = floorFor(entry, Math.max(wide, high), LONGEST);
  const times = Math.min(Math.max(Math.floor(SHORTEST / (Math.max(wide, high) * floor.icon)), 1), LARGEST);
  const icons = canvas(wide * floor.icon, high * floor.icon);
  const tiles = tilesOver(scene.layer.name, scene.atlas, box, floor);
  await Promise.all(
    tiles.map(async ({ address, left, top }) => {
      const image = await loadImage(address);
      icons.drawImage(image, left - box.left * floor.icon, top - box.top * floor.icon);
    }),
  );
  keepOnly(icons, level, area, box);
  return png(framed(icons.canvas, { box, icon: floor.icon * times, times }, caption, ink));
}

/** The rectangle around the drawn cells of an area. */
function drawnBounds(level: LevelData, area: Area): Box | null {
  let found: Box | null = null;
  for (const { row, from, to } of area.runs) {
    for (let column = from; column <= to; column++) {
      if (level.at(row, column) < 0) continue;
      const { size } = level;
      const before: Box = found ?? { size, top: row, left: column, bottom: row, right: column };
      const { top, left, right } = before;
      found = { size, top, bottom: row, left: Math.min(left, column), right: Math.max(right, column) };
    }
  }
  return found;
}

/** Clear what is no drawn cell of the area: one pixel a cell, enlarged without smoothing, so that no seams show. */
function keepOnly(
  icons: CanvasRenderingContext2D,
  level: LevelData,
  area: Area,
  { top, left, bottom, right }: Box,
): void {
  const mask = canvas(right - left + 1, bottom - top + 1);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (area.has(row, column) && level.at(row, column) >= 0) mask.fillRect(column - left, row - top, 1, 1);
    }
  }
  icons.globalCompositeOperation = "destination-in";
  icons.imageSmoothingEnabled = false;
  icons.drawImage(mask.canvas, 0, 0, icons.canvas.width, icons.canvas.height);
}

interface Fit {
  readonly box: Box;
  /** Side of a cell, pixels. */
  readonly icon: number;
  readonly times: number;
}

function framed(
  icons: HTMLCanvasElement,
  { box, icon, times }: Fit,
  caption: string,
  ink: Ink,
): HTMLCanvasElement {
  const [wide, high] = [icons.width * times, icons.height * times];
  const text = Math.round(Math.min(Math.max(wide / 60, 15), 34));
  const font = `${text}px ${ink.font}`;
  const measure = canvas(1, 1);
  measure.font = font;
  const width = Math.max(wide, measure.measureText(caption).width) + 2 * MARGIN;
  const made = canvas(width, high + 2 * MARGIN + 2 * text);
  made.fillStyle = ink.paper;
  made.fillRect(0, 0, made.canvas.width, made.canvas.height);
  made.imageSmoothingQuality = "high";
  made.drawImage(icons, MARGIN, MARGIN, wide, high);
  const [left, top] = [MARGIN - box.left * icon, MARGIN - box.top * icon];
  fillGutter(made, { left, top, side: box.size * icon }, icon, ink.paper);
  made.font = font;
  made.fillStyle = ink.soft;
  made.textBaseline = "bottom";
  made.fillText(caption, MARGIN, high + MARGIN + 2 * text);
  return made.canvas;
}

function canvas(width: number, height: number): CanvasRenderingContext2D {
  const made = el("canvas", {
    width: Math.max(Math.round(width), 1),
    height: Math.max(Math.round(height), 1),
  });
  const context = made.getContext("2d");
  if (!context) throw new Error("this browser draws no pictures");
  return context;
}

function png(made: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    made.toBlob((blob) =>
      blob ? resolve(blob) : reject(new Error("the picture is too large for this browser")),
    );
  });
}
