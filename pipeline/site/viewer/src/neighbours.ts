// The cells of the same level that the network sees most alike.

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
}

/** The most similar cells of a cell, the nearest first. */
export async function loadNeighbours({ level }: Scene, cell: number): Promise<Neighbour[]> {
  const { ranks, cell: cells, hundredths } = await loadAlike(`${level.name}/neighbours`);
  const places = Array.from({ length: ranks }, (_, rank) => cell * ranks + rank);
  return places
    .map((at) => ({ cell: cells[at] ?? -1, cosine: (hundredths[at] ?? 0) / 100 }))
    .filter((found) => found.cell >= 0);
}

const loadAlike = remember(async (name): Promise<Alike> => {
  const content = await loadPart<{ cell: Packed; hundredths: Packed }>(name);
  const [cell, hundredths] = [await unpack(content.cell), await unpack(content.hundredths)];
  return { ranks: content.cell.shape[1] ?? 0, cell, hundredths };
});
