// Images from tiles: icons of cells, previews of atlases. Icons are cropped by CSS, since a page opened from disk may
// not read the pixels of tiles.

import { type CellAddress, describePosition } from "../data/area";
import { cellClassName } from "../data/cell-names";
import { tileFolder } from "../data/icon-styles";
import type { LevelData } from "../data/level";
import { type AtlasEntry, type LevelEntry, sizesWithIcons } from "../data/manifest";
import { el } from "./dom";

/** Icon of a cell, filling an element of class `icon`. */
export function createIcon(layer: string, atlas: AtlasEntry, cell: CellAddress): HTMLElement {
  const box = el("span", { class: "icon", "aria-hidden": "true" });
  const level = atlas.levels.find(({ size }) => size === cell.size);
  if (!level) return box;
  const side = level.width / level.size;
  const { tile_size: tile, format } = atlas.tiles;
  const folder = tileFolder(layer, atlas);
  const finest = Math.ceil(Math.log2(Math.max(level.width, level.height)));
  for (const row of tileRange(cell.row * side, side, tile)) {
    for (const column of tileRange(cell.column * side, side, tile)) {
      const url = `${folder}/${level.size}_files/${finest}/${column}_${row}.${format}`;
      const image = el("img", { src: url, alt: "", draggable: "false", decoding: "async" });
      const across = tileExtent(atlas, column, level.width, cell.column * side, side);
      const down = tileExtent(atlas, row, level.height, cell.row * side, side);
      Object.assign(image.style, {
        left: across.start,
        top: down.start,
        width: across.length,
        height: down.length,
        clipPath: `inset(${down.cut} 0 0 ${across.cut})`,
      });
      box.append(image);
    }
  }
  return box;
}

/** Numbers of the tiles that an icon covers, in one direction. */
function tileRange(edge: number, side: number, tile: number): number[] {
  const first = Math.floor(edge / tile);
  const last = Math.ceil((edge + side) / tile) - 1;
  return Array.from({ length: last - first + 1 }, (_, step) => first + step);
}

/**
 * Extent of a tile in one direction, in percent of the icon's side: start and length; and how much of it is clipped,
 * since the outermost pixels of a scaled image show as a seam.
 */
function tileExtent(
  { tiles: { tile_size: tile, overlap } }: AtlasEntry,
  number: number,
  whole: number,
  edge: number,
  side: number,
): { start: string; length: string; cut: string } {
  const before = number ? overlap : 0;
  const start = number * tile - before;
  const length = Math.min((number + 1) * tile + overlap, whole) - start;
  return {
    start: `${(100 * (start - edge)) / side}%`,
    length: `${(100 * length) / side}%`,
    cut: `${(100 * before) / length}%`,
  };
}

const LARGEST_SIZE = 20; // cells per side that are distinguishable in a small image

/** Preview of an atlas: its largest pyramid level with a single tile. */
export function createAtlasPreview(layer: string, atlas: AtlasEntry): HTMLElement {
  const preferred = sizesWithIcons(atlas)
    .filter((size) => size <= LARGEST_SIZE)
    .at(-1);
  const level = atlas.levels.find(({ size }) => size === preferred) ?? atlas.levels[0];
  const box = el("span", { class: "atlas-preview", "aria-hidden": "true" });
  if (level) box.append(el("img", { src: previewUrl(layer, atlas, level), alt: "", loading: "lazy" }));
  return box;
}

function previewUrl(layer: string, atlas: AtlasEntry, level: LevelEntry): string {
  const longest = Math.max(level.width, level.height);
  const finest = Math.ceil(Math.log2(longest));
  const halved = Math.max(0, Math.ceil(Math.log2(longest / atlas.tiles.tile_size)));
  const folder = `${tileFolder(layer, atlas)}/${level.size}_files`;
  return `${folder}/${finest - halved}/0_0.${atlas.tiles.format}`;
}

/** Thumbnail of an atlas's coarsest level, at most `pixels` wide. */
export function createThumbnail(layer: string, atlas: AtlasEntry, pixels: number): HTMLElement {
  const box = el("span", { class: "layer-thumbnail", "aria-hidden": "true" });
  const level = atlas.levels[0];
  if (!level) return box;
  const { tile_size: tile, format } = atlas.tiles;
  const finest = Math.ceil(Math.log2(Math.max(level.width, level.height)));
  const reduced = Math.min(finest, Math.floor(Math.log2(Math.min(pixels, tile))));
  const url = `${tileFolder(layer, atlas)}/${level.size}_files/${reduced}/0_0.${format}`;
  box.append(el("img", { src: url, alt: "", loading: "lazy", draggable: "false" }));
  return box;
}

// A cell as a button: its icon with a caption, as a link to the cell.

export interface CellView {
  readonly layer: string;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  readonly cell: number;
}

export function addressOf({ level, cell }: Pick<CellView, "level" | "cell">): CellAddress {
  return { size: level.size, row: level.row(cell), column: level.column(cell) };
}

/** A cell as text: layer, position and top class. */
export function cellName(names: readonly string[], view: CellView): string {
  const found = cellClassName(view.level, view.cell, names);
  return `${view.layer}, ${describePosition(addressOf(view))}${found ? `, top class ${found}` : ""}`;
}

/** The button; `caption` is shown below the icon, `label` is its accessible name. */
export function createCellButton(
  view: CellView,
  caption: string,
  label: string,
  onClick: () => void,
): HTMLElement {
  const button = el("button", { type: "button", class: "cell-button", title: label, "aria-label": label });
  button.append(createIcon(view.layer, view.atlas, addressOf(view)), el("span", { class: "share" }, caption));
  button.addEventListener("click", onClick);
  return button;
}
