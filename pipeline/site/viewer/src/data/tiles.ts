// Image tiles of a region, and whether the page may read their pixels.

import type { Box } from "./area";
import { tileFolder } from "./icon-styles";
import type { GridView } from "./level";
import type { AtlasEntry, LevelEntry } from "./manifest";

/** A tile and its position, in pixels of its pyramid level. */
export interface Tile {
  readonly url: string;
  readonly left: number;
  readonly top: number;
}

/** Level of the image pyramid: its number, and the side of an icon in pixels. */
export interface PyramidLevel {
  readonly number: number;
  readonly icon: number;
}

/** The finest pyramid level at which so many icons are at most `longest` pixels long. */
export function pyramidLevelFor(level: LevelEntry, icons: number, longest: number): PyramidLevel {
  const finest = Math.ceil(Math.log2(Math.max(level.width, level.height)));
  let [number, icon] = [finest, level.width / level.size];
  for (; icon * icons > longest && number > 0; number--) icon /= 2;
  return { number, icon };
}

/** Tiles that cover a rectangle of cells. */
export function tilesCovering(
  layer: string,
  atlas: AtlasEntry,
  box: Box,
  { number, icon }: PyramidLevel,
): Tile[] {
  const { tile_size: tile, overlap, format } = atlas.tiles;
  const folder = tileFolder(layer, atlas);
  const tiles: Tile[] = [];
  for (let row = Math.floor((box.top * icon) / tile); row * tile < (box.bottom + 1) * icon; row++) {
    for (
      let column = Math.floor((box.left * icon) / tile);
      column * tile < (box.right + 1) * icon;
      column++
    ) {
      const url = `${folder}/${box.size}_files/${number}/${column}_${row}.${format}`;
      const [left, top] = [column * tile - (column ? overlap : 0), row * tile - (row ? overlap : 0)];
      tiles.push({ url, left, top });
    }
  }
  return tiles;
}

export async function loadImage(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Error(`${url} cannot be loaded`);
  }
  return image;
}

/** First tile of the first of these cells that has an icon; null if none has. */
export function firstTile({ layer, atlas, level }: GridView, cells: readonly number[]): string | null {
  const cell = cells.find((each) => level.hasIcon(each));
  const entry = atlas.levels.find(({ size }) => size === level.size);
  if (cell === undefined || !entry) return null;
  const [row, column] = [level.row(cell), level.column(cell)];
  const box = { size: level.size, top: row, bottom: row, left: column, right: column };
  return tilesCovering(layer.name, atlas, box, pyramidLevelFor(entry, 1, entry.width))[0]?.url ?? null;
}

/** Whether the page may read the image's pixels: browsers forbid it for images from disk. */
export async function isReadable(url: string): Promise<boolean> {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context?.drawImage(await loadImage(url), 0, 0, 1, 1);
  try {
    context?.getImageData(0, 0, 1, 1);
  } catch (error) {
    if (isSecurityError(error)) return false;
    throw error;
  }
  return true;
}

/** Whether the browser refused to let pixels be read. */
export function isSecurityError(error: unknown): boolean {
  return error instanceof DOMException && error.name === "SecurityError";
}
