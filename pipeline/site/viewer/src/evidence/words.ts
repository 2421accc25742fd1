// The names that the page gives to what was measured.

import { decimal } from "../format";
import type { Direction, Grade, Measure, Replacement } from "./result";

export const REPLACED_BY: Readonly<Record<Replacement, string>> = {
  zero: "by zero",
  mean: "by the layer’s mean",
  other: "by another image’s",
};

export const PUSHED_ALONG: Readonly<Record<Direction, string>> = {
  own: "the cell’s own",
  gaussian: "random",
  shuffled: "own, channels shuffled",
  other: "another cell’s",
};

export const MEASURED: Readonly<Record<Measure, string>> = {
  within: "Rank correlation over the classes of a sample, mean",
  within_median: "The same, median",
  across: "Rank correlation over samples for a class, mean of classes",
  own: "The same for each sample’s own label",
  sign: "Classes that change in the direction foretold",
  hit: "Strongest class loses most",
};

export const GRADES: Readonly<Record<Grade, string>> = {
  well: "foretells well",
  fairly: "foretells fairly",
  weakly: "foretells weakly",
  not: "does not foretell",
  unknown: "cannot be told",
  "too few images": "unknown, too few images",
};

/** Two decimals; a dash where there is no number, and no minus before a zero. */
export function number(value: number | null): string {
  return decimal(value === null ? Number.NaN : Math.round(value * 100) / 100 || 0);
}
