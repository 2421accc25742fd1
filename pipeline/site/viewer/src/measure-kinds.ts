// What can be shown of every cell as a colour over its icon.

export type Measure = "samples" | "fidelity" | "reliability" | "spread";

export interface Kind {
  readonly measure: Measure;
  readonly name: string;
  readonly column: "count" | "fidelity_centred" | "reliability" | "spread";
  /** Equal steps of colour are equal factors; for what varies over orders of magnitude. */
  readonly byFactors: boolean;
  readonly meaning: string;
}

export const KINDS: readonly Kind[] = [
  {
    measure: "samples",
    name: "How many samples",
    column: "count",
    byFactors: true,
    meaning: "Places in images that lie in the cell.",
  },
  {
    measure: "fidelity",
    name: "Fidelity",
    column: "fidelity_centred",
    byFactors: false,
    meaning: "How well the icon excites what the cell's samples excite: centred cosine, at most 1.",
  },
  {
    measure: "reliability",
    name: "Reliability",
    column: "reliability",
    byFactors: false,
    meaning: "How alike two halves of the cell's images are in the mean: centred cosine, at most 1.",
  },
  {
    measure: "spread",
    name: "Spread",
    column: "spread",
    byFactors: false,
    meaning: "How much the cell's samples differ: 0 all alike, 1 unrelated.",
  },
];

export function kindOf(measure: Measure | null): Kind | null {
  return KINDS.find((kind) => kind.measure === measure) ?? null;
}

/** The measure that a text names, or null. */
export function measureFrom(text: string | null): Measure | null {
  return KINDS.find(({ measure }) => measure === text)?.measure ?? null;
}

/** The next one in the order of the menu; after the last, none. */
export function nextMeasure(measure: Measure | null): Measure | null {
  return KINDS[KINDS.findIndex((kind) => kind.measure === measure) + 1]?.measure ?? null;
}
