// What the stage `place` says of the second image set at a layer.

import { loadPartAt } from "./parts";
import type { Packed } from "./unpack";

export interface Placed {
  /** Samples in each file of images that cells hold. */
  readonly members_per_block: number;
  readonly images_per_folder: number;
  /** By cells a side: how many of its samples lie in each cell of the atlas. */
  readonly levels: Readonly<Record<string, { readonly count: Packed }>>;
}

/** Where its files for a layer lie. */
export function placedAt(layer: string): string {
  return `place/${layer}`;
}

export function loadPlaced(layer: string): Promise<Placed> {
  return loadPartAt(`${placedAt(layer)}/place`);
}
