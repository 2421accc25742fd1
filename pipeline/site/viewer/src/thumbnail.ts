// An atlas as a very small picture: one of the reduced tiles of its coarsest level.

import { el } from "./dom";
import type { AtlasEntry } from "./manifest";

/** The picture, at most `pixels` wide where it is stored so small. */
export function thumbnail(layer: string, atlas: AtlasEntry, pixels: number): HTMLElement {
  const box = el("span", { class: "thumb", "aria-hidden": "true" });
  const level = atlas.levels[0];
  if (!level) return box;
  const { tile_size: tile, format } = atlas.tiles;
  const finest = Math.ceil(Math.log2(Math.max(level.width, level.height)));
  const reduced = Math.min(finest, Math.floor(Math.log2(Math.min(pixels, tile))));
  const address = `tiles/${layer}/${atlas.name}/${level.size}_files/${reduced}/0_0.${format}`;
  box.append(el("img", { src: address, alt: "", loading: "lazy", draggable: "false" }));
  return box;
}
