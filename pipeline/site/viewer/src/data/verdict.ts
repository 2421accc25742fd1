// The verdict on a cell, by the limits of the manifest: words for its measures, and reasons to doubt it. A measure has
// one word for one range of values, wherever the page speaks of it.

import { decimal } from "./format";
import type { LevelData } from "./level";
import type { JudgedMeasure, Limits, Verdict } from "./manifest";

interface Words {
  readonly column: "fidelity_centred" | "reliability" | "spread";
  /** In order: good, between the limits, to doubt, unknown. */
  readonly words: readonly [string, string, string, string];
  /** Name of the reason to doubt. */
  readonly doubt: string;
}

export const JUDGED: Readonly<Record<JudgedMeasure, Words>> = {
  fidelity: {
    column: "fidelity_centred",
    words: ["high-fidelity icon", "medium-fidelity icon", "low-fidelity icon", "icon of unknown fidelity"],
    doubt: "low fidelity",
  },
  reliability: {
    column: "reliability",
    words: [
      "high reliability",
      "medium reliability",
      "low reliability",
      "unknown reliability (too few images)",
    ],
    doubt: "low reliability",
  },
  spread: {
    column: "spread",
    words: ["similar samples", "varied samples", "dissimilar samples", "unknown spread"],
    doubt: "high spread",
  },
};

export const MEASURES: readonly JudgedMeasure[] = ["fidelity", "reliability", "spread"];

/** Reason to doubt a cell: the measure, its value and its limit. */
export interface Doubt {
  readonly measure: JudgedMeasure;
  readonly value: number;
  readonly limit: number;
}

/** Reasons to doubt a cell with an icon; empty for most. Unknown values are no reason. */
export function doubtsOf(verdict: Verdict, level: LevelData, cell: number): Doubt[] {
  return MEASURES.flatMap((measure) => {
    const value = level.value(JUDGED[measure].column, cell);
    return rangeOf(verdict[measure], value) === 2 ? [{ measure, value, limit: verdict[measure].doubt }] : [];
  });
}

/** A reason as text: "Low fidelity: 0.42, below 0.60". */
export function describeDoubt({ measure, value, limit }: Doubt): string {
  const { doubt } = JUDGED[measure];
  return `${capitalize(doubt)}: ${decimal(value)}, ${value < limit ? "below" : "above"} ${decimal(limit)}`;
}

/** The measures as one sentence. */
export function describeVerdict(verdict: Verdict, level: LevelData, cell: number): string {
  const words = MEASURES.map((measure) => {
    const { column, words } = JUDGED[measure];
    return words[rangeOf(verdict[measure], level.value(column, cell))];
  });
  return `${capitalize(words.join("; "))}.`;
}

/** 0 good, 1 between the limits, 2 to doubt, 3 unknown. */
function rangeOf({ good, doubt }: Limits, value: number): 0 | 1 | 2 | 3 {
  if (Number.isNaN(value)) return 3;
  const sign = good > doubt ? 1 : -1;
  if (sign * value >= sign * good) return 0;
  return sign * value < sign * doubt ? 2 : 1;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
