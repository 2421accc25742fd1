// The images whose samples lie in a part of an atlas. Samples are stored in the order of the finest grid's cells, in
// blocks; only the blocks that hold samples of the part are loaded.

import type { LevelData } from "./level-data";
import { loadPartAt } from "./parts";
import type { Area } from "./region-area";
import { remember } from "./remember";
import { type Numbers, type Packed, unpack } from "./unpack";

export interface Tally {
  /** Row of the image. */
  readonly image: number;
  /** Samples of this image that lie there. */
  readonly samples: number;
}

/** Samples as they are stored: so many in each cell of the finest grid, in blocks of so many. */
export interface Stored {
  /** Where the blocks lie. */
  readonly address: string;
  readonly perBlock: number;
  readonly finest: LevelData;
  readonly counts: ArrayLike<number>;
}

type Range = readonly [from: number, to: number];

/** The images that have samples in a region, those with the most first. */
export async function loadMembers(stored: Stored, area: Area): Promise<Tally[]> {
  const ranges = rangesIn(stored, area);
  const { address, perBlock: step } = stored;
  const tally = new Map<number, number>();
  const work = [...blocksOf(ranges, step)].map(async (block) => {
    const images = await loadBlock(`${address}/members-${block}`);
    for (const [from, to] of ranges) {
      const start = Math.max(from - block * step, 0);
      const end = Math.min(to - block * step, images.length);
      for (let at = start; at < end; at++) tally.set(images[at] ?? 0, (tally.get(images[at] ?? 0) ?? 0) + 1);
    }
  });
  await Promise.all(work);
  const found = Array.from(tally, ([image, samples]) => ({ image, samples }));
  return found.sort((one, other) => other.samples - one.samples || one.image - other.image);
}

const loadBlock = remember(
  async (address): Promise<Numbers> => unpack((await loadPartAt<{ image: Packed }>(address)).image),
);

/** Where the samples of a region lie among all, as runs without gaps. */
function rangesIn({ finest, counts }: Stored, area: Area): Range[] {
  const ranges: [number, number][] = [];
  let offset = 0;
  for (let cell = 0; cell < finest.cells; cell++) {
    const end = offset + (counts[cell] ?? 0);
    const row = Math.floor((finest.row(cell) * area.size) / finest.size);
    const column = Math.floor((finest.column(cell) * area.size) / finest.size);
    if (area.has(row, column)) {
      const last = ranges.at(-1);
      if (last?.[1] === offset) last[1] = end;
      else ranges.push([offset, end]);
    }
    offset = end;
  }
  return ranges;
}

function blocksOf(ranges: readonly Range[], step: number): Set<number> {
  const blocks = new Set<number>();
  for (const [from, to] of ranges) {
    for (let block = Math.floor(from / step); block * step < to; block++) blocks.add(block);
  }
  return blocks;
}
