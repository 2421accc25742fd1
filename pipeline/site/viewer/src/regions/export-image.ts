// Region as an image: the icons of its cells at their positions, with a caption.

import type { Area, Box } from "../data/area";
import type { LevelData } from "../data/level";
import type { Manifest } from "../data/manifest";
import { levelImage, loadReadableTile, pyramidLevelFor, tilesCovering } from "../data/tiles";
import { fillCellGaps } from "../map/frame";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";

const MAX_PIXELS = 4096; // pixels
const MIN_PIXELS = 1280;
const MAX_SCALE = 4; // maximum scale of an icon
const MARGIN = 32;

export interface ExportColors {
  readonly background: string;
  readonly muted: string;
  readonly font: string;
}

/**
 * Image of the region as PNG.
 *
 * @throws DOMException "SecurityError" if the page may not read its tiles, as from disk where they are image files only.
 */
export async function renderRegion(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  caption: string,
  colors: ExportColors,
): Promise<Blob> {
  const { level } = scene;
  const entry = scene.atlas.levels.find(({ size }) => size === level.size);
  const box = iconBounds(level, area);
  if (!entry || !box) throw new Error("no cell of this region has an icon");
  const [wide, high] = [box.right - box.left + 1, box.bottom - box.top + 1];
  const shown = levelImage(scene.layer.name, scene.atlas, entry, scene.photographs);
  const pyramidLevel = pyramidLevelFor(shown, Math.max(wide, high), MAX_PIXELS);
  const scale = Math.min(
    Math.max(Math.floor(MIN_PIXELS / (Math.max(wide, high) * pyramidLevel.icon)), 1),
    MAX_SCALE,
  );
  const iconCanvas = createCanvas(wide * pyramidLevel.icon, high * pyramidLevel.icon);
  const tiles = tilesCovering(shown, box, pyramidLevel);
  await Promise.all(
    tiles.map(async ({ url, left, top }) => {
      const image = await loadReadableTile(manifest, url);
      iconCanvas.drawImage(image, left - box.left * pyramidLevel.icon, top - box.top * pyramidLevel.icon);
    }),
  );
  clearOutside(iconCanvas, level, area, box);
  return toPng(addFrame(iconCanvas.canvas, { box, icon: pyramidLevel.icon * scale, scale }, caption, colors));
}

/** Bounds of an area's cells with an icon. */
function iconBounds(level: LevelData, area: Area): Box | null {
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

/**
 * Clear everything except the area's cells with an icon: a mask of one pixel per cell, scaled without smoothing, so
 * that there are no seams.
 */
function clearOutside(
  iconCanvas: CanvasRenderingContext2D,
  level: LevelData,
  area: Area,
  { top, left, bottom, right }: Box,
): void {
  const mask = createCanvas(right - left + 1, bottom - top + 1);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (area.has(row, column) && level.at(row, column) >= 0) mask.fillRect(column - left, row - top, 1, 1);
    }
  }
  iconCanvas.globalCompositeOperation = "destination-in";
  iconCanvas.imageSmoothingEnabled = false;
  iconCanvas.drawImage(mask.canvas, 0, 0, iconCanvas.canvas.width, iconCanvas.canvas.height);
}

interface Fit {
  readonly box: Box;
  /** Side of a cell, pixels. */
  readonly icon: number;
  readonly scale: number;
}

function addFrame(
  iconCanvas: HTMLCanvasElement,
  { box, icon, scale }: Fit,
  caption: string,
  colors: ExportColors,
): HTMLCanvasElement {
  const [wide, high] = [iconCanvas.width * scale, iconCanvas.height * scale];
  const text = Math.round(Math.min(Math.max(wide / 60, 15), 34));
  const font = `${text}px ${colors.font}`;
  const measure = createCanvas(1, 1);
  measure.font = font;
  const width = Math.max(wide, measure.measureText(caption).width) + 2 * MARGIN;
  const output = createCanvas(width, high + 2 * MARGIN + 2 * text);
  output.fillStyle = colors.background;
  output.fillRect(0, 0, output.canvas.width, output.canvas.height);
  output.imageSmoothingQuality = "high";
  output.drawImage(iconCanvas, MARGIN, MARGIN, wide, high);
  const [left, top] = [MARGIN - box.left * icon, MARGIN - box.top * icon];
  fillCellGaps(output, { left, top, side: box.size * icon }, icon, colors.background);
  output.font = font;
  output.fillStyle = colors.muted;
  output.textBaseline = "bottom";
  output.fillText(caption, MARGIN, high + MARGIN + 2 * text);
  return output.canvas;
}

function createCanvas(width: number, height: number): CanvasRenderingContext2D {
  const output = el("canvas", {
    width: Math.max(Math.round(width), 1),
    height: Math.max(Math.round(height), 1),
  });
  const context = output.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  return context;
}

function toPng(output: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    output.toBlob((blob) =>
      blob ? resolve(blob) : reject(new Error("the image is too large for this browser")),
    );
  });
}
