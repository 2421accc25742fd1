// The measures in plain words.

import { decimal, percent } from "../data/format";

export interface Measure<Row> {
  readonly name: string;
  readonly meaning: string;
  value(row: Row): number | null | undefined;
  /** How the value is written. */
  written(value: number): string;
  /** Whether it goes from 0 to 1, and more is better, so that a bar can show it. */
  readonly bar?: true;
}

const whole = new Intl.NumberFormat("en-GB");
const counted = (value: number): string => whole.format(value);

export const LAYOUT: readonly Measure<Layout>[] = [
  {
    name: "samples",
    meaning: "Places of images that the atlas holds.",
    value: ({ points }) => points,
    written: counted,
  },
  {
    name: "trustworthiness",
    meaning:
      "Whether neighbours on the map are neighbours for the network, too: of the 10 nearest samples on the map, how " +
      "few are strangers. 1 means none; neighbours from the same image are left out.",
    value: ({ trustworthiness_10 }) => trustworthiness_10,
    written: decimal,
    bar: true,
  },
  {
    name: "continuity",
    meaning:
      "The other way round: whether the network’s 10 nearest samples stay together on the map. 1 means all do.",
    value: ({ continuity_10 }) => continuity_10,
    written: decimal,
    bar: true,
  },
  {
    name: "label hits",
    meaning:
      "Share of the 10 nearest samples on the map that come from an image of the same label. Only where images have " +
      "labels.",
    value: ({ label_hits }) => label_hits,
    written: percent,
    bar: true,
  },
  {
    name: "filled",
    meaning: "Share of a 20 × 20 grid that holds samples: how well the map uses its room.",
    value: ({ filled }) => filled,
    written: percent,
    bar: true,
  },
];

export const LEVEL: readonly Measure<Level>[] = [
  {
    name: "icons",
    meaning: "Cells with enough samples for a picture.",
    value: ({ cells, icons }) => icons?.icons ?? cells?.drawn,
    written: counted,
  },
  {
    name: "fidelity",
    meaning:
      "How well an icon excites the network as its cell’s samples do: the cosine of both, after the layer’s mean is " +
      "taken off. Median over the icons, seen from views they were not made for; 1 is perfect.",
    value: ({ icons }) => icons?.fidelity_centred?.median,
    written: decimal,
    bar: true,
  },
  {
    name: "reliability",
    meaning:
      "How well two halves of a cell’s images agree on its mean activation; 1 means they say the same. Where it is low, " +
      "the cell itself is uncertain, whatever its icon shows.",
    value: ({ cells }) => cells?.reliability,
    written: decimal,
    bar: true,
  },
  {
    name: "retrieval",
    meaning: "How often the network finds an icon’s own cell among all cells of the level.",
    value: ({ icons }) => icons?.retrieval?.exact,
    written: percent,
    bar: true,
  },
  {
    name: "nearby",
    meaning: "The same, where one of the eight cells around it counts as well.",
    value: ({ icons }) => icons?.retrieval?.near,
    written: percent,
    bar: true,
  },
  {
    name: "spread",
    meaning: "How much the samples of a cell differ: 0 all alike, 1 unrelated. Mean over the cells.",
    value: ({ cells }) => cells?.spread,
    written: decimal,
  },
];

// What the stages measured, as commands gather it; null where a stage has not told.

type Found = number | null | undefined;

export interface Images {
  readonly images: Found;
  readonly rejected: Found;
  readonly classes: Found;
  readonly labelled: Found;
  readonly top1?: Found;
  readonly top5?: Found;
}

export interface Sampled {
  readonly samples: Found;
  readonly channels: Found;
  readonly silent_samples: Found;
  readonly zero_attributions: Found;
}

export interface Layout {
  readonly points: Found;
  readonly outliers: Found;
  readonly filled: Found;
  readonly trustworthiness_10: Found;
  readonly trustworthiness_50: Found;
  readonly continuity_10: Found;
  readonly continuity_50: Found;
  readonly label_hits?: Found;
  readonly label_hits_activations?: Found;
}

export interface Level {
  readonly size: number;
  readonly cells: {
    readonly occupied: Found;
    readonly drawn: Found;
    readonly spread: Found;
    readonly reliability: Found;
  } | null;
  readonly icons: {
    readonly icons: Found;
    readonly fidelity: { readonly median: Found; readonly floor?: Found } | null;
    readonly fidelity_centred: { readonly median: Found; readonly ceiling?: Found } | null;
    readonly retrieval: { readonly exact: Found; readonly near: Found } | null;
  } | null;
}

export interface Measured {
  readonly layout: Layout | null;
  readonly levels: readonly Level[];
}

export interface Contents {
  readonly images: Images | null;
  readonly layers: Readonly<Record<string, Sampled | null>>;
  readonly atlases: Readonly<Record<string, Readonly<Record<string, Measured>>>>;
}
