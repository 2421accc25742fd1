// The cells of the same level that the network sees most alike, and what a cell's icon was drawn from.

import type { CellAddress } from "./area";
import { loadPart, type Numbers, type Packed, remember, unpack } from "./data-files";
import { type GridView, type LevelData, loadLevel } from "./level";
import { type AtlasEntry, find, type LayerEntry, type Manifest } from "./manifest";

export interface Neighbour {
  /** A drawn cell of the same level. */
  readonly cell: number;
  /** Centred cosine of the two cells' mean activations, -1..1. */
  readonly cosine: number;
}

interface Alike {
  readonly ranks: number;
  readonly cell: Numbers;
  readonly hundredths: Numbers;
  readonly descent: Numbers;
}

const DESCENT = ["unknown", "noise", "parent", "same"] as const;

/** From noise, from the icon of the cell around it, or nothing anew: that icon itself. */
export type Descent = (typeof DESCENT)[number];

/** The most similar cells of a cell, the nearest first. */
export async function loadNeighbours({ level }: GridView, cell: number): Promise<Neighbour[]> {
  const { ranks, cell: cells, hundredths } = await loadAlike(`${level.name}/neighbours`);
  const places = Array.from({ length: ranks }, (_, rank) => cell * ranks + rank);
  return places
    .map((at) => ({ cell: cells[at] ?? -1, cosine: (hundredths[at] ?? 0) / 100 }))
    .filter((found) => found.cell >= 0);
}

/** What the icon of a cell was drawn from. */
export async function loadDescent({ level }: GridView, cell: number): Promise<Descent> {
  const { descent } = await loadAlike(`${level.name}/neighbours`);
  return DESCENT[descent[cell] ?? 0] ?? "unknown";
}

const loadAlike = remember(async (name): Promise<Alike> => {
  const { cell, hundredths, descent } = await loadPart<Record<keyof Omit<Alike, "ranks">, Packed>>(name);
  const [cells, cosines, origins] = await Promise.all([cell, hundredths, descent].map(unpack));
  if (!cells || !cosines || !origins) throw new Error(`${name} is incomplete`);
  return { ranks: cell.shape[1] ?? 0, cell: cells, hundredths: cosines, descent: origins };
});

// The cells of other layers that hold most of a cell's samples.

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
  scene: Pick<GridView, "atlas" | "level">,
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

// Where the samples of a cell lie in another picture: in the same cell of the same atlas, or in other cells at another
// layer. Two different atlases have no samples' places in common that the page knows of.

/** A cell with the share of the samples that lie in it, 0..1. */
export interface Kin {
  readonly cell: CellAddress;
  readonly share: number;
}

export async function kinOf(manifest: Manifest, from: GridView, cell: number, to: GridView): Promise<Kin[]> {
  if (from.atlas.name !== to.atlas.name) return [];
  const { level } = from;
  if (from.layer.name === to.layer.name) {
    return [{ cell: { size: level.size, row: level.row(cell), column: level.column(cell) }, share: 1 }];
  }
  const [there] = await loadRelatives(manifest, from, cell, to.layer.name);
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
