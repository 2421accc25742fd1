// Measures of the contents page with their definitions.

import { decimal, percent } from "../data/format";
import type { IconStyle } from "../data/icon-styles";
import type { Verdict } from "../data/manifest";
import type { Legibility } from "../evidence/legibility";

export interface Measure<Row> {
  readonly name: string;
  readonly meaning: string;
  value(row: Row): number | null | undefined;
  /** Text of the value. */
  format(value: number): string;
  /** Whether the range is 0..1 and larger is better, so that a bar can show it. */
  readonly bar?: true;
  /** Whether only some runs record it; the column is left out if no row has a value. */
  readonly optional?: true;
}

const integers = new Intl.NumberFormat("en-US");
const formatCount = (value: number): string => integers.format(value);

export const LAYOUT: readonly Measure<LayoutMeasures>[] = [
  {
    name: "samples",
    meaning: "Positions in images that the atlas contains.",
    value: ({ points }) => points,
    format: formatCount,
  },
  {
    name: "trustworthiness",
    meaning:
      "Whether neighbors on the map are also neighbors in activation space, for the 10 nearest samples on the map. " +
      "1 means that all are; neighbors from the same image are excluded.",
    value: ({ trustworthiness_10 }) => trustworthiness_10,
    format: decimal,
    bar: true,
  },
  {
    name: "continuity",
    meaning:
      "The converse: whether the 10 nearest samples in activation space stay neighbors on the map. 1 means that all do.",
    value: ({ continuity_10 }) => continuity_10,
    format: decimal,
    bar: true,
  },
  {
    name: "kNN label agreement",
    meaning: "Share of the 10 nearest samples on the map that come from an image with the same label.",
    value: ({ label_hits }) => label_hits,
    format: percent,
    bar: true,
    optional: true,
  },
  {
    name: "occupancy",
    meaning: "Share of the cells of a 20 × 20 grid that contain samples: how evenly the map is filled.",
    value: ({ filled }) => filled,
    format: percent,
    bar: true,
  },
];

/** Measures of a level's icons and cells, those to doubt by these limits. */
export function levelMeasures({ fidelity, reliability, spread }: Verdict): readonly Measure<LevelMeasures>[] {
  const meaning =
    `Icons with a centered fidelity below ${decimal(fidelity.doubt)}, or whose cell has a reliability below ` +
    `${decimal(reliability.doubt)} or a spread above ${decimal(spread.doubt)}; the map can mark them.`;
  const doubt: Measure<LevelMeasures> = {
    name: "to doubt",
    meaning,
    value: ({ doubt }) => doubt,
    format: formatCount,
  };
  const [icons, ...others] = LEVEL;
  return icons ? [icons, doubt, ...others] : [doubt];
}

const LEVEL: readonly Measure<LevelMeasures>[] = [
  {
    name: "icons",
    meaning: "Cells with enough samples for an icon.",
    value: ({ cells, icons }) => icons?.icons ?? cells?.drawn,
    format: formatCount,
  },
  {
    name: "fidelity",
    meaning:
      "Cosine between the activation of an icon and the mean activation of its cell, both after subtracting the layer’s " +
      "mean. Median over the icons, under held-out transformations; the maximum is 1.",
    value: ({ icons }) => icons?.fidelity_centred?.median,
    format: decimal,
    bar: true,
  },
  {
    name: "reliability",
    meaning:
      "Centered cosine between the mean activations of two halves of a cell’s images; 1 means equal direction. If it is low, " +
      "the cell’s mean is uncertain, whatever its icon shows.",
    value: ({ cells }) => cells?.reliability,
    format: decimal,
    bar: true,
  },
  {
    name: "retrieval",
    meaning: "Share of icons whose most similar cell of the level is their own.",
    value: ({ icons }) => icons?.retrieval?.exact,
    format: percent,
    bar: true,
  },
  {
    name: "nearby",
    meaning: "The same, but the eight adjacent cells count as well.",
    value: ({ icons }) => icons?.retrieval?.near,
    format: percent,
    bar: true,
  },
  {
    name: "legibility",
    meaning:
      "Would another network recognize the icons? Share of icons whose own cell’s real patches look most like them to a " +
      "network that did not render them.",
    value: ({ icons }) => icons?.legibility?.recognized?.value,
    format: percent,
    bar: true,
    optional: true,
  },
  {
    name: "legibility of patches",
    meaning: "Legibility of one real patch of each cell in the place of its icon, for comparison.",
    value: ({ icons }) => icons?.legibility?.ceiling_recognized?.value,
    format: percent,
    bar: true,
    optional: true,
  },
  {
    name: "spread",
    meaning:
      "Mean distance (1 minus cosine) of a cell’s samples from its mean: 0 identical, 1 unrelated. Mean over the cells.",
    value: ({ cells }) => cells?.spread,
    format: decimal,
  },
];

// Measurements of the stages as the commands collect them; null if a stage has none.

type Value = number | null | undefined;

export interface ImageMeasures {
  readonly images: Value;
  readonly rejected: Value;
  readonly classes: Value;
  readonly labeled: Value;
  /** Accuracy of the network on the images with a label. */
  readonly top1?: Value;
  readonly top5?: Value;
  /** Of a network that the run trained itself: accuracy on images that it was not trained on, and their number. */
  readonly test_accuracy?: Value;
  readonly test_images?: Value;
}

export interface LayerMeasures {
  readonly samples: Value;
  readonly channels: Value;
  readonly silent_samples: Value;
  readonly zero_attributions: Value;
}

export interface LayoutMeasures {
  readonly points: Value;
  readonly outliers: Value;
  readonly filled: Value;
  readonly trustworthiness_10: Value;
  readonly trustworthiness_50: Value;
  readonly continuity_10: Value;
  readonly continuity_50: Value;
  readonly label_hits?: Value;
  readonly label_hits_activations?: Value;
}

export interface LevelMeasures {
  readonly size: number;
  /** Icons to doubt; of other styles than the first it is not known. */
  readonly doubt?: number;
  readonly cells: {
    readonly occupied: Value;
    readonly drawn: Value;
    readonly spread: Value;
    readonly reliability: Value;
  } | null;
  /** Of the first style of icons; those of the others are below their names. */
  readonly icons: (IconMeasures & Partial<Readonly<Record<IconStyle, IconMeasures>>>) | null;
}

interface IconMeasures {
  readonly icons: Value;
  readonly fidelity: { readonly median: Value; readonly floor?: Value } | null;
  readonly fidelity_centred: { readonly median: Value; readonly ceiling?: Value } | null;
  readonly retrieval: { readonly exact: Value; readonly near: Value } | null;
  readonly legibility?: Legibility | null;
}

export interface AtlasMeasures {
  readonly layout: LayoutMeasures | null;
  readonly levels: readonly LevelMeasures[];
}

export interface Measurements {
  readonly images: ImageMeasures | null;
  readonly layers: Readonly<Record<string, LayerMeasures | null>>;
  readonly atlases: Readonly<Record<string, Readonly<Record<string, AtlasMeasures>>>>;
}
