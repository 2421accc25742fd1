// What OpenSeadragon must be told so that it works under the page's policy and from disk.

import type { AtlasEntry, LevelEntry } from "./manifest";

/** OpenSeadragon would put a style into the page, which the page's policy forbids, unless it finds one: an idle one. */
export function forestallStyle(): void {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const idle = document.createElementNS(null, "style");
  idle.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(idle);
}

/** Described inline: a page opened from disk may not read a .dzi file. */
export function tileSource(layer: string, atlas: AtlasEntry, level: LevelEntry): object {
  return {
    Image: {
      xmlns: "http://schemas.microsoft.com/deepzoom/2008",
      Url: `tiles/${layer}/${atlas.name}/${level.size}_files/`,
      Format: atlas.tiles.format,
      Overlap: String(atlas.tiles.overlap),
      TileSize: String(atlas.tiles.tile_size),
      Size: { Width: String(level.width), Height: String(level.height) },
    },
  };
}
