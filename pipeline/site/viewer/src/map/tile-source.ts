// OpenSeadragon settings for the page's content security policy and for pages from disk.

import type { TiledImage } from "openseadragon";
import type { LevelImage } from "../data/tiles";

/** OpenSeadragon would inject a style, which the content security policy forbids, unless it finds an (empty) one. */
export function preventStyleInjection(): void {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const idle = document.createElementNS(null, "style");
  idle.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(idle);
}

/** Inline description: a page opened from disk may not read a .dzi file. */
export function tileSource({ folder, side, tiles }: LevelImage): object {
  return {
    Image: {
      xmlns: "http://schemas.microsoft.com/deepzoom/2008",
      Url: `${folder}/`,
      Format: tiles.format,
      Overlap: String(tiles.overlap),
      TileSize: String(tiles.tile_size),
      Size: { Width: String(side), Height: String(side) },
    },
  };
}

/** OpenSeadragon's interface of a tile download. */
interface Job {
  readonly src: string;
  readonly userData: { imageRequest?: HTMLImageElement };
  finish(image: HTMLImageElement, request: null, kind: "image"): void;
  fail(why: string, request: null): void;
}

/** Number of tiles in download, by source. */
const loading = new WeakMap<object, number>();

function countLoading(source: object, change: 1 | -1): void {
  loading.set(source, (loading.get(source) ?? 0) + change);
}

/** Whether tiles of an image, or of its copy in the minimap, are in download. */
export function isLoading(item: TiledImage): boolean {
  return (loading.get(item.source) ?? 0) > 0;
}

/** Decode tiles asynchronously before handing them over; otherwise they are decoded within a frame. */
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
      image.onload = () => settle(true); // decoding may wait indefinitely in a hidden page
      image.onerror = () => settle(false);
      return;
    }
    image.decode().then(
      () => settle(true),
      () => settle(image.complete && image.naturalWidth > 0), // not enough memory to decode ahead
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
