// A cell's icon at any size, cut out of the finest tiles by CSS: a page opened from disk may not read their pixels.

import { el } from "./dom";
import type { AtlasEntry } from "./manifest";
import type { CellAddress } from "./state";

/** The icon of a cell, filling an element of class `icon`. */
export function icon(layer: string, atlas: AtlasEntry, cell: CellAddress): HTMLElement {
  const box = el("span", { class: "icon", "aria-hidden": "true" });
  const level = atlas.levels.find(({ size }) => size === cell.size);
  if (!level) return box;
  const side = level.width / level.size;
  const { tile_size: tile, format } = atlas.tiles;
  const finest = Math.ceil(Math.log2(Math.max(level.width, level.height)));
  for (const row of touched(cell.row * side, side, tile)) {
    for (const column of touched(cell.column * side, side, tile)) {
      const address = `tiles/${layer}/${atlas.name}/${level.size}_files/${finest}/${column}_${row}.${format}`;
      const image = el("img", { src: address, alt: "", draggable: "false", decoding: "async" });
      const across = extent(atlas, column, level.width, cell.column * side, side);
      const down = extent(atlas, row, level.height, cell.row * side, side);
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

/** Numbers of the tiles, in one direction, that an icon lies in. */
function touched(edge: number, side: number, tile: number): number[] {
  const first = Math.floor(edge / tile);
  const last = Math.ceil((edge + side) / tile) - 1;
  return Array.from({ length: last - first + 1 }, (_, step) => first + step);
}

/**
 * A tile in one direction, in percent of the icon's side: where it starts, how long it is; and how much of itself is cut
 * off, since enlarged the outermost pixels of a picture show as a seam.
 */
function extent(
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
