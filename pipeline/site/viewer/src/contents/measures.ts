// The measures in plain words.

import { decimal, percent } from "../data/format";

export interface Measure<Row> {
  readonly name: string;
  readonly meaning: string;
  value(row: Row): number | null | undefined;
  /** How the value is written. */
  format(value: number): string;
  /** Whether it goes from 0 to 1, and more is better, so that a bar can show it. */
  readonly bar?: true;
}

const integers = new Intl.NumberFormat("en-GB");
const formatCount = (value: number): string => integers.format(value);

export const LAYOUT: readonly Measure<LayoutMeasures>[] = [
  {
    name: "samples",
    meaning: "Places of images that the atlas holds.",
    value: ({ points }) => points,
    format: formatCount,
  },
  {
    name: "trustworthiness",
    meaning:
      "Whether neighbours on the map are neighbours for the network, too: of the 10 nearest samples on the map, how " +
      "few are strangers. 1 means none; neighbours from the same image are left out.",
    value: ({ trustworthiness_10 }) => trustworthiness_10,
    format: decimal,
    bar: true,
  },
  {
    name: "continuity",
    meaning:
      "The other way round: whether the network’s 10 nearest samples stay together on the map. 1 means all do.",
    value: ({ continuity_10 }) => continuity_10,
    format: decimal,
    bar: true,
  },
  {
    name: "label hits",
    meaning:
      "Share of the 10 nearest samples on the map that come from an image of the same label. Only where images have " +
      "labels.",
    value: ({ label_hits }) => label_hits,
    format: percent,
    bar: true,
  },
  {
    name: "filled",
    meaning: "Share of a 20 × 20 grid that holds samples: how well the map uses its room.",
    value: ({ filled }) => filled,
    format: percent,
    bar: true,
  },
];

export const LEVEL: readonly Measure<LevelMeasures>[] = [
  {
    name: "icons",
    meaning: "Cells with enough samples for a picture.",
    value: ({ cells, icons }) => icons?.icons ?? cells?.drawn,
    format: formatCount,
  },
  {
    name: "fidelity",
    meaning:
      "How well an icon excites the network as its cell’s samples do: the cosine of both, after the layer’s mean is " +
      "taken off. Median over the icons, seen from views they were not made for; 1 is perfect.",
    value: ({ icons }) => icons?.fidelity_centred?.median,
    format: decimal,
    bar: true,
  },
  {
    name: "reliability",
    meaning:
      "How well two halves of a cell’s images agree on its mean activation; 1 means they say the same. Where it is low, " +
      "the cell itself is uncertain, whatever its icon shows.",
    value: ({ cells }) => cells?.reliability,
    format: decimal,
    bar: true,
  },
  {
    name: "retrieval",
    meaning: "How often the network finds an icon’s own cell among all cells of the level.",
    value: ({ icons }) => icons?.retrieval?.exact,
    format: percent,
    bar: true,
  },
  {
    name: "nearby",
    meaning: "The same, where one of the eight cells around it counts as well.",
    value: ({ icons }) => icons?.retrieval?.near,
    format: percent,
    bar: true,
  },
  {
    name: "spread",
    meaning: "How much the samples of a cell differ: 0 all alike, 1 unrelated. Mean over the cells.",
    value: ({ cells }) => cells?.spread,
    format: decimal,
  },
];

// What the stages measured, as commands gather it; null where a stage has not told.

type Value = number | null | undefined;

export interface ImageMeasures {
  readonly images: Value;
  readonly rejected: Value;
  readonly classes: Value;
  readonly labelled: Value;
  readonly top1?: Value;
  readonly top5?: Value;
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
  readonly cells: {
    readonly occupied: Value;
    readonly drawn: Value;
    readonly spread: Value;
    readonly reliability: Value;
  } | null;
  readonly icons: {
    readonly icons: Value;
    readonly fidelity: { readonly median: Value; readonly floor?: Value } | null;
    readonly fidelity_centred: { readonly median: Value; readonly ceiling?: Value } | null;
    readonly retrieval: { readonly exact: Value; readonly near: Value } | null;
  } | null;
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
