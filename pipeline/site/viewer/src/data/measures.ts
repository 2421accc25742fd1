// Measures that can color the cells.

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
