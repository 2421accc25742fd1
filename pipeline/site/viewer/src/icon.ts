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
  const [left, top] = [cell.column * side, cell.row * side];
  const { tile_size: tile, overlap, format } = atlas.tiles;
  const finest = Math.ceil(Math.log2(Math.max(level.width, level.height)));
  for (let row = Math.floor(top / tile); row * tile < top + side; row++) {
    for (let column = Math.floor(left / tile); column * tile < left + side; column++) {
      const address = `tiles/${layer}/${atlas.name}/${level.size}_files/${finest}/${column}_${row}.${format}`;
      const [x, y] = [column * tile - (column ? overlap : 0), row * tile - (row ? overlap : 0)];
      const wide = Math.min((column + 1) * tile + overlap, level.width) - x;
      const high = Math.min((row + 1) * tile + overlap, level.height) - y;
      const image = el("img", { src: address, alt: "", draggable: "false", decoding: "async" });
      Object.assign(image.style, {
        left: `${(100 * (x - left)) / side}%`,
        top: `${(100 * (y - top)) / side}%`,
        width: `${(100 * wide) / side}%`,
        height: `${(100 * high) / side}%`,
      });
      box.append(image);
    }
  }
  return box;
}
