// Image of a level as tiles, the tiles of a region, and whether the page may read their pixels.

import type { Box } from "./area";
import { loadDataAt } from "./data-files";
import { tileFolder } from "./icon-styles";
import type { GridView } from "./level";
import type { AtlasEntry, LevelEntry, Manifest } from "./manifest";

/** Tiles of a level: its icons, or the patches of the nearest exemplars in their places. */
export interface LevelImage {
  /** Folder of the pyramid. */
  readonly folder: string;
  /** Pixels. */
  readonly side: number;
  /** Cells per side. */
  readonly size: number;
  /** Whether it has more detail than other icons. */
  readonly large: boolean;
  readonly tiles: AtlasEntry["tiles"];
}

export function levelImage(
  layer: string,
  atlas: AtlasEntry,
  level: LevelEntry,
  photographs: boolean,
): LevelImage {
  const { size, photograph } = level;
  const { tiles } = atlas;
  if (photographs && photograph) {
    const folder = `data/${layer}/${atlas.name}/photographs/${size}_files`;
    return { folder, side: size * photograph, size, large: false, tiles };
  }
  const folder = `${tileFolder(layer, atlas)}/${size}_files`;
  return { folder, side: level.width, size, large: level.large ?? false, tiles };
}

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
export function pyramidLevelFor({ side, size }: LevelImage, icons: number, longest: number): PyramidLevel {
  let [number, icon] = [Math.ceil(Math.log2(side)), side / size];
  for (; icon * icons > longest && number > 0; number--) icon /= 2;
  return { number, icon };
}

/** Tiles that cover a rectangle of cells. */
export function tilesCovering(image: LevelImage, box: Box, { number, icon }: PyramidLevel): Tile[] {
  const { tile_size: tile, overlap, format } = image.tiles;
  const tiles: Tile[] = [];
  for (let row = Math.floor((box.top * icon) / tile); row * tile < (box.bottom + 1) * icon; row++) {
    for (
      let column = Math.floor((box.left * icon) / tile);
      column * tile < (box.right + 1) * icon;
      column++
    ) {
      const url = `${image.folder}/${number}/${column}_${row}.${format}`;
      const [left, top] = [column * tile - (column ? overlap : 0), row * tile - (row ? overlap : 0)];
      tiles.push({ url, left, top });
    }
  }
  return tiles;
}

/** A tile whose pixels the page may read, if the run stores them for pages from disk. */
export async function loadReadableTile({ png_from_disk }: Manifest, url: string): Promise<HTMLImageElement> {
  if (location.protocol !== "file:" || !png_from_disk) return loadImage(url);
  const [, stem = "", format = ""] = /^(?:data\/)?(.*)\.(\w+)$/.exec(url) ?? [];
  const { data } = await loadDataAt<{ data: string }>(`data/pixels/${stem}`);
  return loadImage(`data:image/${format};base64,${data}`);
}

export async function loadImage(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Error(`${url.slice(0, 200)} cannot be loaded`);
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
  const image = levelImage(layer.name, atlas, entry, false);
  return tilesCovering(image, box, pyramidLevelFor(image, 1, image.side))[0]?.url ?? null;
}

/** Whether the page may read a tile's pixels: browsers forbid it for image files on disk. */
export async function isReadable(manifest: Manifest, url: string): Promise<boolean> {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context?.drawImage(await loadReadableTile(manifest, url), 0, 0, 1, 1);
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
