// The cells of other layers that hold most of a cell's samples.

import { type LevelData, loadLevel } from "./level-data";
import { type AtlasEntry, find, type LayerEntry, type Manifest } from "./manifest";
import { loadPart } from "./parts";
import { remember } from "./remember";
import type { Scene } from "./scene";
import { type Numbers, type Packed, unpack } from "./unpack";

export interface Relatives {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  /** Its cells that hold most of the samples, with the share of the samples they hold; largest first. */
  readonly cells: readonly { readonly cell: number; readonly share: number }[];
}

interface Content {
  readonly layers: readonly string[];
  readonly cell: Packed;
  readonly share: Packed;
}

interface Links {
  readonly layers: readonly string[];
  readonly ranks: number;
  readonly cell: Numbers;
  readonly share: Numbers;
}

/** Where the samples of a cell lie at every other layer that has the same atlas, or at `only` one of them. */
export async function loadRelatives(
  manifest: Manifest,
  scene: Pick<Scene, "atlas" | "level">,
  cell: number,
  only: string | null = null,
): Promise<Relatives[]> {
  const links = await loadLinks(`${scene.level.name}/links`);
  const found = [...links.layers.entries()].map(async ([other, name]) => {
    if (only !== null && name !== only) return null;
    const { layer, atlas } = find(manifest, name, scene.atlas.name);
    const level = await loadLevel(layer.name, atlas.name, scene.level.size);
    const start = (cell * links.layers.length + other) * links.ranks;
    const cells = Array.from({ length: links.ranks }, (_, rank) => ({
      cell: links.cell[start + rank] ?? -1,
      share: links.share[start + rank] ?? 0,
    }));
    return { layer, atlas, level, cells: cells.filter((entry) => entry.cell >= 0) };
  });
  return (await Promise.all(found)).filter((relatives) => relatives !== null);
}

const loadLinks = remember(async (name): Promise<Links> => {
  const { layers, cell, share } = await loadPart<Content>(name);
  return { layers, ranks: cell.shape[2] ?? 0, cell: await unpack(cell), share: await unpack(share) };
});
