// How densely some samples lie in each cell, against all samples of the atlas.

import type { LevelData } from "./level-data";
import { parents } from "./parents";
import type { Numbers } from "./unpack";

export interface Density {
  /** Whose samples: those of the chosen class's images, or of the second image set. */
  readonly of: "class" | "second";
  /** For each cell of the shown level: share of their samples that lie in it, 0..1. */
  readonly own: Float32Array;
  /** For each cell: share of all samples. */
  readonly all: Float32Array;
  /** For each cell: the signed square root of `own - all` over the largest magnitude among drawn cells, -1..1. */
  readonly strength: Float32Array;
  /** How many samples they are. */
  readonly samples: number;
  /** Cells a side of the grid on which they were counted; finer ones take their parent cell's shares. */
  readonly size: number;
  /** The drawn cell with the largest excess and the one with the largest lack, in the grid of that size. */
  readonly most: { readonly over: Extreme; readonly under: Extreme };
}

export interface Extreme {
  readonly own: number;
  readonly all: number;
}

/**
 * Compare counts with those of all samples.
 *
 * @param of whose samples.
 * @param counts for each cell of `source`.
 * @param source the level on which they were counted.
 * @param level the shown level, as fine as that one or finer.
 */
export function density(of: Density["of"], counts: Numbers, source: LevelData, level: LevelData): Density {
  const samples = Array.from(counts).reduce((sum, value) => sum + value, 0);
  const every = Array.from({ length: source.cells }, (_, cell) => source.value("count", cell));
  const total = every.reduce((sum, value) => sum + value, 0);
  const shares = every.map((value, cell) => ({
    own: samples ? (counts[cell] ?? 0) / samples : 0,
    all: total ? value / total : 0,
  }));
  const most = extremes(shares.filter((_, cell) => source.isDrawn(cell)));
  const scale = samples ? Math.max(difference(most.over), -difference(most.under)) : 0;
  const parent = parents(level, source);
  const none = { own: 0, all: 0 };
  const share = Array.from(parent, (cell) => shares[cell] ?? none);
  return {
    of,
    own: Float32Array.from(share, ({ own }) => own),
    all: Float32Array.from(share, ({ all }) => all),
    strength: Float32Array.from(share, (each) => (scale ? strength(difference(each) / scale) : 0)),
    samples,
    size: source.size,
    most,
  };
}

export function difference({ own, all }: Extreme): number {
  return own - all;
}

function strength(part: number): number {
  return Math.sign(part) * Math.sqrt(Math.min(Math.abs(part), 1));
}

function extremes(shares: readonly Extreme[]): Density["most"] {
  let [over, under]: [Extreme, Extreme] = [
    { own: 0, all: 0 },
    { own: 0, all: 0 },
  ];
  for (const share of shares) {
    if (difference(share) > difference(over)) over = share;
    if (difference(share) < difference(under)) under = share;
  }
  return { over, under };
}
