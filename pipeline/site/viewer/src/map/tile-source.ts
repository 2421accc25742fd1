// What OpenSeadragon must be told so that it works under the page's policy and from disk.

import type { TiledImage } from "openseadragon";
import type { AtlasEntry, LevelEntry } from "../data/manifest";

/** OpenSeadragon would put a style into the page, which the page's policy forbids, unless it finds one: an idle one. */
export function preventStyleInjection(): void {
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

/** What OpenSeadragon asks of whoever fetches a tile. */
interface Job {
  readonly src: string;
  readonly userData: { imageRequest?: HTMLImageElement };
  finish(image: HTMLImageElement, request: null, kind: "image"): void;
  fail(why: string, request: null): void;
}

/** How many tiles of a source are on their way. */
const loading = new WeakMap<object, number>();

function countLoading(source: object, change: 1 | -1): void {
  loading.set(source, (loading.get(source) ?? 0) + change);
}

/** Whether tiles of a picture, or of its copy in the minimap, are on their way. */
export function isLoading(item: TiledImage): boolean {
  return (loading.get(item.source) ?? 0) > 0;
}

/** Have tiles decoded beside the page before they are handed over; else they are decoded within a frame. */
export function decodeTilesAsync(item: TiledImage): void {
  const source = item.source as unknown as {
    downloadTileStart(job: Job): void;
    downloadTileAbort(job: Job): void;
  };
  source.downloadTileStart = (job) => {
    const image = new Image();
    job.userData.imageRequest = image;
    countLoading(source, 1);
    const settle = (found: boolean): void => {
      if (job.userData.imageRequest !== image) return;
      delete job.userData.imageRequest;
      countLoading(source, -1);
      if (found) job.finish(image, null, "image");
      else job.fail(`${job.src}: expected an image, found none`, null);
    };
    image.src = job.src;
    if (document.hidden) {
      image.onload = () => settle(true); // what nobody sees may wait for its decoding without end
      image.onerror = () => settle(false);
      return;
    }
    image.decode().then(
      () => settle(true),
      () => settle(image.complete && image.naturalWidth > 0), // too little memory to decode it ahead
    );
  };
  source.downloadTileAbort = (job) => {
    const { imageRequest } = job.userData;
    if (!imageRequest) return;
    delete job.userData.imageRequest;
    countLoading(source, -1);
    imageRequest.src = "";
  };
}
