// Measures that can color the cells.

import { decimal } from "./format";
import type { LevelData } from "./level";

export type Measure = "samples" | "fidelity" | "reliability" | "spread";

export interface MeasureInfo {
  readonly measure: Measure;
  readonly name: string;
  readonly column: "count" | "fidelity_centred" | "reliability" | "spread";
  /** Logarithmic color scale, for values that span orders of magnitude. */
  readonly logarithmic: boolean;
  readonly meaning: string;
}

export const MEASURE_INFOS: readonly MeasureInfo[] = [
  {
    measure: "samples",
    name: "Number of samples",
    column: "count",
    logarithmic: true,
    meaning: "Image positions in the cell.",
  },
  {
    measure: "fidelity",
    name: "Fidelity",
    column: "fidelity_centred",
    logarithmic: false,
    meaning: "Centered cosine between the icon's activation and the cell's mean activation; at most 1.",
  },
  {
    measure: "reliability",
    name: "Reliability",
    column: "reliability",
    logarithmic: false,
    meaning: "Centered cosine between the mean activations of two halves of the cell's images; at most 1.",
  },
  {
    measure: "spread",
    name: "Spread",
    column: "spread",
    logarithmic: false,
    meaning: "Mean distance (1 minus cosine) of the samples from the cell's mean: 0 identical, 1 unrelated.",
  },
];

export function measureInfo(measure: Measure | null): MeasureInfo | null {
  return MEASURE_INFOS.find((kind) => kind.measure === measure) ?? null;
}

/** The measure with this name, or null. */
export function parseMeasure(text: string | null): Measure | null {
  return MEASURE_INFOS.find(({ measure }) => measure === text)?.measure ?? null;
}

/** The next measure in the order of the menu; null after the last. */
export function nextMeasure(measure: Measure | null): Measure | null {
  return MEASURE_INFOS[MEASURE_INFOS.findIndex((kind) => kind.measure === measure) + 1]?.measure ?? null;
}

// Range of the color scale; outliers are clipped.

const CLIPPED_SHARE = 0.02; // share of the cells clipped at each end

export interface Range {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  readonly least: number;
  readonly most: number;
}

/** Range of a measure over the cells with an icon; null if it is unknown for all. */
export function measureRange(level: LevelData, { column }: MeasureInfo): Range | null {
  const sorted = measureValues(level, column);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  if (!sorted.length) return null;
  return { low: at(CLIPPED_SHARE), middle: at(0.5), high: at(1 - CLIPPED_SHARE), least: at(0), most: at(1) };
}

/** Known values of a measure over the cells with an icon, ascending. */
export function measureValues(level: LevelData, column: MeasureInfo["column"]): Float64Array {
  const found: number[] = [];
  for (let cell = 0; cell < level.cells; cell++) {
    const value = level.hasIcon(cell) ? level.value(column, cell) : Number.NaN;
    if (!Number.isNaN(value)) found.push(value);
  }
  return Float64Array.from(found).sort();
}

/** Position of a value in the color scale, 0..1. */
export function positionInRange({ low, high }: Range, { logarithmic }: MeasureInfo, value: number): number {
  const scaled = (number: number): number => (logarithmic ? Math.log(Math.max(number, 1)) : number);
  const length = scaled(high) - scaled(low);
  return length > 0 ? Math.min(Math.max((scaled(value) - scaled(low)) / length, 0), 1) : 0.5;
}

// Quality warnings of cells, with all their limits.
//
// Low fidelity: the icon's centered fidelity is below 0.85 of the median of its level, or below 0.5. The median is what
// this layer and these settings reach normally; the cell's reliability is no upper bound, since the icon is optimized
// for the same mean that it is measured against, including its noise. In a real SqueezeNet this applies to 2 to 5 icons
// in a hundred; below 0.5 the icon is more than 60 degrees away from its cell's direction.
//
// Mixed content: the spread exceeds 1.3 times the level's median, or two halves of the cell's images have means with a
// cosine below 0.25, which is more than 75 degrees. Then the mean is a compromise, and the icon shows what no single
// sample shows.

export type QualityWarning = "low fidelity" | "mixed content";

const LOW_FIDELITY_RATIO = 0.85;
const LOW_FIDELITY = 0.5;
const HIGH_SPREAD_RATIO = 1.3;
const LOW_RELIABILITY = 0.25;

interface Medians {
  readonly fidelity: number;
  readonly spread: number;
}

const mediansByLevel = new WeakMap<LevelData, Medians>();

/** Warnings of a cell with an icon; empty for most. */
export function qualityWarnings(level: LevelData, cell: number): QualityWarning[] {
  return [
    ...(hasLowFidelity(level, cell) ? (["low fidelity"] as const) : []),
    ...(hasMixedContent(level, cell) ? (["mixed content"] as const) : []),
  ];
}

/** The same as text with the values behind them. */
export function qualityWarningLines(level: LevelData, cell: number): string[] {
  const { fidelity, spread } = medians(level);
  const [own, differ, agree] = [
    level.value("fidelity_centred", cell),
    level.value("spread", cell),
    level.value("reliability", cell),
  ];
  const because =
    differ > HIGH_SPREAD_RATIO * spread
      ? `spread ${decimal(differ)}, median of the level ${decimal(spread)}`
      : `reliability ${decimal(agree)}, below ${decimal(LOW_RELIABILITY)}`;
  return qualityWarnings(level, cell).map((warning) =>
    warning === "low fidelity"
      ? `Low fidelity: centered ${decimal(own)}, median of the level ${decimal(fidelity)}`
      : `Mixed content: ${because}`,
  );
}

function hasLowFidelity(level: LevelData, cell: number): boolean {
  const own = level.value("fidelity_centred", cell);
  return own < Math.max(LOW_FIDELITY_RATIO * medians(level).fidelity, LOW_FIDELITY);
}

function hasMixedContent(level: LevelData, cell: number): boolean {
  return (
    level.value("spread", cell) > HIGH_SPREAD_RATIO * medians(level).spread ||
    level.value("reliability", cell) < LOW_RELIABILITY
  );
}

/** Medians over a level's cells with an icon. */
function medians(level: LevelData): Medians {
  let found = mediansByLevel.get(level);
  if (!found) {
    const middle = (values: Float64Array): number => values[values.length >> 1] ?? Number.NaN;
    found = {
      fidelity: middle(measureValues(level, "fidelity_centred")),
      spread: middle(measureValues(level, "spread")),
    };
    mediansByLevel.set(level, found);
  }
  return found;
}
