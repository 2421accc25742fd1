// A whole atlas as a small picture.

import { el } from "./dom";
import type { AtlasEntry, LevelEntry } from "./manifest";

const LARGEST_SIZE = 20; // cells a side that a small picture still shows apart

/** The picture of an atlas: the largest of its reduced pictures that is a single tile. */
export function miniature(layer: string, atlas: AtlasEntry): HTMLElement {
  const level = [...atlas.levels].reverse().find(({ size }) => size <= LARGEST_SIZE) ?? atlas.levels[0];
  const box = el("span", { class: "miniature", "aria-hidden": "true" });
  if (level) box.append(el("img", { src: address(layer, atlas, level), alt: "", loading: "lazy" }));
  return box;
}

function address(layer: string, atlas: AtlasEntry, level: LevelEntry): string {
  const longest = Math.max(level.width, level.height);
  const finest = Math.ceil(Math.log2(longest));
  const halved = Math.max(0, Math.ceil(Math.log2(longest / atlas.tiles.tile_size)));
  const folder = `tiles/${layer}/${atlas.name}/${level.size}_files`;
  return `${folder}/${finest - halved}/0_0.${atlas.tiles.format}`;
}
