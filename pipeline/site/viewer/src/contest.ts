// Which of several classes a cell speaks for most, and how strongly.

import type { Heat } from "./heat";

export interface Contest {
  /** For each cell the place of the winning class in the list; -1 where the cell speaks for none of them. */
  readonly winner: Int8Array;
  /** For each cell the winner's share, 0..1, see {@link Heat}. */
  readonly share: Float32Array;
}

/** The contest over all cells; against the classes where `sign` is -1. Of equals the first one wins. */
export function contest(heats: readonly Heat[], sign: 1 | -1): Contest {
  const cells = heats[0]?.share.length ?? 0;
  const winner = new Int8Array(cells).fill(-1);
  const share = new Float32Array(cells);
  heats.forEach((heat, place) => {
    for (let cell = 0; cell < cells; cell++) {
      const value = sign * (heat.share[cell] ?? 0);
      if (value <= (share[cell] ?? 0)) continue;
      share[cell] = value;
      winner[cell] = place;
    }
  });
  return { winner, share };
}

/** The place of the class that wins a cell, or -1. */
export function winnerAt(heats: readonly Heat[], sign: 1 | -1, cell: number): number {
  const values = heats.map((heat) => sign * (heat.share[cell] ?? 0));
  const most = Math.max(0, ...values);
  return most > 0 ? values.indexOf(most) : -1;
}
