// Result of the stage `predict` for a layer, as in its `result.js`.

import { decimal } from "../data/format";

export interface Estimate {
  /** Estimate with its 95 % confidence interval; null if undefined. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export const ABLATIONS = ["zero", "mean", "resample"] as const;
export const MEASURES = ["within", "within_median", "across", "own_label", "sign", "hit"] as const;
export const DIRECTIONS = ["own", "gaussian", "shuffled", "other"] as const;
export type Ablation = (typeof ABLATIONS)[number];
export type Measure = (typeof MEASURES)[number];
export type Direction = (typeof DIRECTIONS)[number];
export type Grade = "well" | "fairly" | "weakly" | "not" | "unknown" | "too few images";

type MeasuresByAblation = Readonly<Record<Ablation, Readonly<Record<Measure, Estimate>>>>;

export interface AblationTest {
  readonly samples: number;
  readonly images: number;
  /** Images with a sample whose attributions and changes can be ranked; the verdict requires a minimum. */
  readonly ranked_images: number;
  readonly labeled: number;
  readonly classes: number;
  /** The ablation that attributions estimate: that by their baseline. */
  readonly estimated: "mean" | "zero";
  /** Samples whose attributions, or whose changes after an ablation, are equal for all classes. */
  readonly constant: Readonly<Record<Ablation | "attribution", number>>;
  readonly measures: MeasuresByAblation;
  readonly shuffled: MeasuresByAblation;
  readonly lift: MeasuresByAblation;
  /** [class, attribution, true change] of the samples' top classes, in logits. */
  readonly points: readonly (readonly [number, number, number])[];
}

export interface TestedCell {
  readonly cell: readonly [number, number];
  readonly classes: readonly number[];
  readonly percentile: number | null;
}

export interface SteeringTest {
  readonly level: number;
  readonly drawn: number;
  readonly tested: number;
  readonly without_class: number;
  readonly without_effect: number;
  readonly trials: number;
  /** Images with a nonzero effect of steering. */
  readonly images: number;
  readonly trials_without_effect: number;
  readonly strength: number;
  readonly ceiling: number;
  readonly percentile: Readonly<Record<Direction, Estimate>>;
  readonly lift: Readonly<Record<Exclude<Direction, "own">, Estimate>>;
  readonly rise: Readonly<Record<Direction, Estimate>>;
  readonly cells: readonly TestedCell[];
}

interface Finding {
  readonly score: number | null;
  readonly grade: Grade;
}

export interface Measurement {
  readonly measured: true;
  readonly layer: string;
  readonly ablation: AblationTest;
  readonly steering: SteeringTest | null;
  readonly verdict: {
    readonly ablation: Finding;
    readonly steering: Finding;
    readonly text: string;
    readonly warning: string | null;
    readonly rule: string;
  };
}

export interface Unmeasured {
  readonly measured: false;
  readonly layer: string;
  readonly reason: string;
}

export type Result = Measurement | Unmeasured;

// Names of the measured quantities.

export const ABLATION_NAMES: Readonly<Record<Ablation, string>> = {
  zero: "zero ablation",
  mean: "mean ablation",
  resample: "resample ablation",
};

/** What takes an activation's place where attributions compare with it. */
export const BASELINE_NAMES: Readonly<Record<AblationTest["estimated"], string>> = {
  mean: "the layer’s mean",
  zero: "zero",
};

export const STEERING_NAMES: Readonly<Record<Direction, string>> = {
  own: "the cell’s own",
  gaussian: "random",
  shuffled: "own, shuffled channels",
  other: "another cell’s",
};

export const MEASURE_NAMES: Readonly<Record<Measure, string>> = {
  within: "Rank correlation over the classes of a sample, mean",
  within_median: "The same, median",
  across: "Rank correlation over samples for a class, mean of classes",
  own_label: "The same for each sample’s own label",
  sign: "Classes that change in the predicted direction",
  hit: "Top class has the largest drop",
};

export const GRADE_NAMES: Readonly<Record<Grade, string>> = {
  well: "predicts accurately",
  fairly: "predicts fairly accurately",
  weakly: "predicts weakly",
  not: "does not predict",
  unknown: "undetermined",
  "too few images": "unknown, too few images",
};

/** Two decimals; a dash for null, and no minus sign before zero. */
export function formatNumber(value: number | null): string {
  return decimal(value === null ? Number.NaN : Math.round(value * 100) / 100 || 0);
}
