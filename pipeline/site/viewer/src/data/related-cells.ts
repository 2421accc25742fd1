// Related cells: similar cells of the same level, and cells of other layers that share samples.

import type { CellAddress } from "./area";
import { decodeArray, type EncodedArray, loadData, memoize, type NumberArray } from "./data-files";
import { type GridView, iconsFile, type LevelData, loadLevel } from "./level";
import { type AtlasEntry, find, type LayerEntry, type Manifest } from "./manifest";

export interface SimilarCell {
  /** Index of a cell with an icon of the same level. */
  readonly cell: number;
  /** Centered cosine of the two cells' mean activations, -1..1. */
  readonly cosine: number;
}

interface SimilarCells {
  readonly ranks: number;
  readonly cell: NumberArray;
  readonly hundredths: NumberArray;
  readonly icon_origin: NumberArray;
}

const ICON_ORIGINS = ["unknown", "noise", "parent", "same", "exemplar"] as const;

/** Initialization of an icon: noise, the icon of the parent cell, a copy of that icon, or the nearest exemplar. */
export type IconOrigin = (typeof ICON_ORIGINS)[number];

/** Cells most similar to a cell, most similar first. */
export async function loadSimilarCells({ level }: GridView, cell: number): Promise<SimilarCell[]> {
  const { ranks, cell: cells, hundredths } = await loadSimilarity(`${level.name}/neighbors`);
  const indices = Array.from({ length: ranks }, (_, rank) => cell * ranks + rank);
  return indices
    .map((at) => ({ cell: cells[at] ?? -1, cosine: (hundredths[at] ?? 0) / 100 }))
    .filter((found) => found.cell >= 0);
}

/** Initialization of a cell's icon. */
export async function loadIconOrigin({ atlas, level }: GridView, cell: number): Promise<IconOrigin> {
  const origin = atlas.style
    ? await loadOrigins(iconsFile(level.name, atlas.style))
    : (await loadSimilarity(`${level.name}/neighbors`)).icon_origin;
  return ICON_ORIGINS[origin[cell] ?? 0] ?? "unknown";
}

const loadSimilarity = memoize(async (name): Promise<SimilarCells> => {
  const { cell, hundredths, icon_origin } =
    await loadData<Record<keyof Omit<SimilarCells, "ranks">, EncodedArray>>(name);
  const [cells, cosines, origins] = await Promise.all([cell, hundredths, icon_origin].map(decodeArray));
  if (!cells || !cosines || !origins) throw new Error(`${name} is incomplete`);
  return { ranks: cell.shape[1] ?? 0, cell: cells, hundredths: cosines, icon_origin: origins };
});

const loadOrigins = memoize(async (name): Promise<NumberArray> => {
  const { icon_origin } = await loadData<{ readonly icon_origin: EncodedArray }>(name);
  return decodeArray(icon_origin);
});

// Cells of another layer that contain most of a cell's samples.

export interface LayerCells {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  /** Its cells with most of the samples and their share of the samples, largest first. */
  readonly cells: readonly { readonly cell: number; readonly share: number }[];
}

interface Content {
  readonly layers: readonly string[];
  readonly cell: EncodedArray;
  readonly share: EncodedArray;
}

interface Links {
  readonly layers: readonly string[];
  readonly ranks: number;
  readonly cell: NumberArray;
  readonly share: NumberArray;
}

/** Where a cell's samples lie at every other layer with the same atlas, or only at layer `only`. */
export async function loadLayerCells(
  manifest: Manifest,
  scene: Pick<GridView, "atlas" | "level">,
  cell: number,
  only: string | null = null,
): Promise<LayerCells[]> {
  const links = await loadLinks(`${scene.level.name}/links`);
  const found = [...links.layers.entries()].map(async ([other, name]) => {
    if (only !== null && name !== only) return null;
    const { layer, atlas } = find(manifest, name, scene.atlas.name, scene.atlas.style);
    const level = await loadLevel(layer.name, atlas.name, scene.level.size, atlas.style);
    const start = (cell * links.layers.length + other) * links.ranks;
    const cells = Array.from({ length: links.ranks }, (_, rank) => ({
      cell: links.cell[start + rank] ?? -1,
      share: links.share[start + rank] ?? 0,
    }));
    return { layer, atlas, level, cells: cells.filter((entry) => entry.cell >= 0) };
  });
  return (await Promise.all(found)).filter((layerCells) => layerCells !== null);
}

const loadLinks = memoize(async (name): Promise<Links> => {
  const { layers, cell, share } = await loadData<Content>(name);
  return {
    layers,
    ranks: cell.shape[2] ?? 0,
    cell: await decodeArray(cell),
    share: await decodeArray(share),
  };
});

// A cell of another map with the share of the samples that it contains, 0..1.

export interface SharedSamples {
  readonly cell: CellAddress;
  readonly share: number;
}

export async function findSharedSamples(
  manifest: Manifest,
  from: GridView,
  cell: number,
  to: GridView,
): Promise<SharedSamples[]> {
  if (from.atlas.name !== to.atlas.name) return [];
  const { level } = from;
  if (from.layer.name === to.layer.name) {
    return [{ cell: { size: level.size, row: level.row(cell), column: level.column(cell) }, share: 1 }];
  }
  const [there] = await loadLayerCells(manifest, from, cell, to.layer.name);
  if (!there) return [];
  return there.cells.map((other) => ({
    cell: {
      size: there.level.size,
      row: there.level.row(other.cell),
      column: there.level.column(other.cell),
    },
    share: other.share,
  }));
}
