// The cells of the same level that the network sees most alike, and what a cell's icon was drawn from.

import type { CellAddress } from "./area";
import { decodeArray, type EncodedArray, loadData, memoize, type NumberArray } from "./data-files";
import { type GridView, type LevelData, loadLevel } from "./level";
import { type AtlasEntry, find, type LayerEntry, type Manifest } from "./manifest";

export interface SimilarCell {
  /** A drawn cell of the same level. */
  readonly cell: number;
  /** Centred cosine of the two cells' mean activations, -1..1. */
  readonly cosine: number;
}

interface SimilarCells {
  readonly ranks: number;
  readonly cell: NumberArray;
  readonly hundredths: NumberArray;
  readonly descent: NumberArray;
}

const ICON_ORIGINS = ["unknown", "noise", "parent", "same"] as const;

/** From noise, from the icon of the cell around it, or nothing anew: that icon itself. */
export type IconOrigin = (typeof ICON_ORIGINS)[number];

/** The most similar cells of a cell, the nearest first. */
export async function loadSimilarCells({ level }: GridView, cell: number): Promise<SimilarCell[]> {
  const { ranks, cell: cells, hundredths } = await loadSimilarity(`${level.name}/neighbours`);
  const places = Array.from({ length: ranks }, (_, rank) => cell * ranks + rank);
  return places
    .map((at) => ({ cell: cells[at] ?? -1, cosine: (hundredths[at] ?? 0) / 100 }))
    .filter((found) => found.cell >= 0);
}

/** What the icon of a cell was drawn from. */
export async function loadIconOrigin({ level }: GridView, cell: number): Promise<IconOrigin> {
  const { descent } = await loadSimilarity(`${level.name}/neighbours`);
  return ICON_ORIGINS[descent[cell] ?? 0] ?? "unknown";
}

const loadSimilarity = memoize(async (name): Promise<SimilarCells> => {
  const { cell, hundredths, descent } =
    await loadData<Record<keyof Omit<SimilarCells, "ranks">, EncodedArray>>(name);
  const [cells, cosines, origins] = await Promise.all([cell, hundredths, descent].map(decodeArray));
  if (!cells || !cosines || !origins) throw new Error(`${name} is incomplete`);
  return { ranks: cell.shape[1] ?? 0, cell: cells, hundredths: cosines, descent: origins };
});

// The cells of other layers that hold most of a cell's samples.

export interface LayerCells {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  /** Its cells that hold most of the samples, with the share of the samples they hold; largest first. */
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

/** Where the samples of a cell lie at every other layer that has the same atlas, or at `only` one of them. */
export async function loadLayerCells(
  manifest: Manifest,
  scene: Pick<GridView, "atlas" | "level">,
  cell: number,
  only: string | null = null,
): Promise<LayerCells[]> {
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

// Where the samples of a cell lie in another picture: in the same cell of the same atlas, or in other cells at another
// layer. Two different atlases have no samples' places in common that the page knows of.

/** A cell with the share of the samples that lie in it, 0..1. */
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
