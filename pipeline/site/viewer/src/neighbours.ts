// The cells of the same level that the network sees most alike, and what a cell's icon was drawn from.

import { loadPart } from "./parts";
import { remember } from "./remember";
import type { Scene } from "./scene";
import { type Numbers, type Packed, unpack } from "./unpack";

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
export async function loadNeighbours({ level }: Scene, cell: number): Promise<Neighbour[]> {
  const { ranks, cell: cells, hundredths } = await loadAlike(`${level.name}/neighbours`);
  const places = Array.from({ length: ranks }, (_, rank) => cell * ranks + rank);
  return places
    .map((at) => ({ cell: cells[at] ?? -1, cosine: (hundredths[at] ?? 0) / 100 }))
    .filter((found) => found.cell >= 0);
}

/** What the icon of a cell was drawn from. */
export async function loadDescent({ level }: Scene, cell: number): Promise<Descent> {
  const { descent } = await loadAlike(`${level.name}/neighbours`);
  return DESCENT[descent[cell] ?? 0] ?? "unknown";
}

const loadAlike = remember(async (name): Promise<Alike> => {
  const { cell, hundredths, descent } = await loadPart<Record<keyof Omit<Alike, "ranks">, Packed>>(name);
  const [cells, cosines, origins] = await Promise.all([cell, hundredths, descent].map(unpack));
  if (!cells || !cosines || !origins) throw new Error(`${name} is incomplete`);
  return { ranks: cell.shape[1] ?? 0, cell: cells, hundredths: cosines, descent: origins };
});
