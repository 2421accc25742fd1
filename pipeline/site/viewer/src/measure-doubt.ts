// Which cells to doubt, and why. All limits are here.
//
// Low fidelity: the icon's centred fidelity is below 0.85 of the median of the drawn icons of its level, or below 0.5
// at all. The median is what this layer and these settings reach where nothing goes wrong; the cell's reliability is no
// ceiling of it, since the icon is made for the very mean that it is measured against, noise and all. In a real
// SqueezeNet this is true of 2 to 5 icons in a hundred; below 0.5 the icon lies further from what it stands for than
// from nothing in particular, however the others fare.
//
// Mixed content: the samples differ more than 1.3 times as much as in the median cell, or two halves of the cell's
// images have means with a cosine below 0.25, which is more than 75 degrees apart. Then the mean is a compromise, and
// the icon shows what no single sample shows.

import { decimal } from "./format";
import type { LevelData } from "./level-data";
import { drawnValues } from "./measure-range";

export type Doubt = "low fidelity" | "mixed content";

const CLEARLY_BELOW = 0.85;
const POOR = 0.5;
const CLEARLY_ABOVE = 1.3;
const DISAGREE = 0.25;

interface Usual {
  readonly fidelity: number;
  readonly spread: number;
}

const known = new WeakMap<LevelData, Usual>();

/** Why to doubt a drawn cell, in words; empty for most. */
export function doubts(level: LevelData, cell: number): Doubt[] {
  return [
    ...(hasLowFidelity(level, cell) ? (["low fidelity"] as const) : []),
    ...(isMixed(level, cell) ? (["mixed content"] as const) : []),
  ];
}

/** The same with the figures behind it. */
export function doubtLines(level: LevelData, cell: number): string[] {
  const { fidelity, spread } = usual(level);
  const [own, differ, agree] = [
    level.value("fidelity_centred", cell),
    level.value("spread", cell),
    level.value("reliability", cell),
  ];
  const because =
    differ > CLEARLY_ABOVE * spread
      ? `spread ${decimal(differ)}, the level's median ${decimal(spread)}`
      : `reliability ${decimal(agree)}, below ${decimal(DISAGREE)}`;
  return doubts(level, cell).map((doubt) =>
    doubt === "low fidelity"
      ? `Low fidelity: centred ${decimal(own)}, the level's median ${decimal(fidelity)}`
      : `Mixed content: ${because}`,
  );
}

function hasLowFidelity(level: LevelData, cell: number): boolean {
  const own = level.value("fidelity_centred", cell);
  return own < Math.max(CLEARLY_BELOW * usual(level).fidelity, POOR);
}

function isMixed(level: LevelData, cell: number): boolean {
  return (
    level.value("spread", cell) > CLEARLY_ABOVE * usual(level).spread ||
    level.value("reliability", cell) < DISAGREE
  );
}

/** The medians of a level's drawn cells. */
function usual(level: LevelData): Usual {
  let found = known.get(level);
  if (!found) {
    const middle = (values: Float64Array): number => values[values.length >> 1] ?? Number.NaN;
    found = {
      fidelity: middle(drawnValues(level, "fidelity_centred")),
      spread: middle(drawnValues(level, "spread")),
    };
    known.set(level, found);
  }
  return found;
}
