// Where the colours of a measure begin and end: the few most extreme cells do not take the colours of all others.

import type { LevelData } from "./level-data";
import type { Kind } from "./measure-kinds";

const BEYOND = 0.02; // of the cells lie beyond each end

export interface Range {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
  readonly least: number;
  readonly most: number;
}

/** The range of a measure over the drawn cells of a level that have it; null if none has. */
export function rangeOf(level: LevelData, { column }: Kind): Range | null {
  const sorted = drawnValues(level, column);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  if (!sorted.length) return null;
  return { low: at(BEYOND), middle: at(0.5), high: at(1 - BEYOND), least: at(0), most: at(1) };
}

/** A measure of the drawn cells that have it, smallest first. */
export function drawnValues(level: LevelData, column: Kind["column"]): Float64Array {
  const found: number[] = [];
  for (let cell = 0; cell < level.cells; cell++) {
    const value = level.isDrawn(cell) ? level.value(column, cell) : Number.NaN;
    if (!Number.isNaN(value)) found.push(value);
  }
  return Float64Array.from(found).sort();
}

/** Where a value lies between the ends of the colours, 0..1. */
export function position({ low, high }: Range, { byFactors }: Kind, value: number): number {
  const place = (number: number): number => (byFactors ? Math.log(Math.max(number, 1)) : number);
  const length = place(high) - place(low);
  return length > 0 ? Math.min(Math.max((place(value) - place(low)) / length, 0), 1) : 0.5;
}
