// Verdicts: whether a method is better than a control, by the interval of the difference.

import { decimal } from "../data/format";
import { el } from "../ui/dom";
import type { Column, ControlName, CurveKind, IntervalValue, Measured } from "./result";

export type Word = "better" | "no better" | "worse";

/** Share of a heat map that lies in one of four images by chance. */
export const CHANCE = 0.25;

/** What the interval of a difference says; null where it is not known. */
export function judge(difference: Measured, lowerIsBetter: boolean): Word | null {
  if (!difference) return null;
  const { low, high } = difference;
  if (low === null || high === null) return null;
  if (low <= 0 && high >= 0) return "no better";
  return high < 0 === lowerIsBetter ? "better" : "worse";
}

/** A method beside a control: of deletion, lower is better. */
export function judgeCurve({ verdict }: Column, kind: CurveKind, control: ControlName): Word | null {
  return judge(verdict[`${kind}_${control}`], kind === "deletion");
}

/** The share of heat maps in the right image beside chance. */
export function judgeGrid(share: Measured): Word | null {
  if (!share) return null;
  const { value, low, high } = share;
  if (low === null || high === null) return null;
  return judge({ value: value - CHANCE, low: low - CHANCE, high: high - CHANCE }, false);
}

/** A verdict as a mark; a dash where there is none. */
export function createWord(word: Word | null): HTMLElement {
  if (word === null) return el("span", { class: "secondary" }, "–");
  return el("span", { class: "word", "data-word": word }, word);
}

/** The bounds of an interval; that there is none where a single image was measured. */
export function describeBounds({ low, high }: IntervalValue, format: (value: number) => string): string {
  return low === null || high === null ? "no interval" : `${format(low)} to ${format(high)}`;
}

/** A value with its interval below; a dash where it is not known. */
export function createInterval(
  measured: Measured | undefined,
  format: (value: number) => string = decimal,
): HTMLElement {
  if (!measured) return createWord(null);
  const { value } = measured;
  return el(
    "span",
    { class: "interval-value" },
    format(value),
    el("small", {}, describeBounds(measured, format)),
  );
}
