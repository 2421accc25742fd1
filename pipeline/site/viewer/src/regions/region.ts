// Statistics of a region: its cells, top classes and measures.

import type { Area, Box } from "../data/area";
import { decimal } from "../data/format";
import type { ClassValue, LevelData } from "../data/level";
import { el } from "../ui/dom";

const MEASURES = ["fidelity", "fidelity_centred", "reliability", "spread"] as const;
export type RegionMeasure = (typeof MEASURES)[number];

export interface Region {
  readonly samples: number;
  /** Cells with samples, in the level's order, and the number of them with an icon. */
  readonly cells: readonly number[];
  readonly drawn: number;
  /**
   * Top classes: mean attribution of the cells, weighted by samples. A cell lists only its top classes; a class counts
   * as 0 in cells that do not list it.
   */
  readonly classes: readonly ClassValue[];
  /** Means over samples of the cells with a known value; NaN if there are none. */
  readonly means: Readonly<Record<RegionMeasure, number>>;
}

const LISTED = 6;

/** Aggregate the cells of `level` in an area of that level. */
export function summarizeRegion(level: LevelData, area: Area): Region {
  const cells = cellsInArea(level, area);
  const sums = new Map<number, number>();
  let [samples, drawn] = [0, 0];
  for (const cell of cells) {
    const weight = level.value("count", cell);
    samples += weight;
    drawn += level.hasIcon(cell) ? 1 : 0;
    for (const { id, value } of level.topClasses(cell)) sums.set(id, (sums.get(id) ?? 0) + weight * value);
  }
  const classes = Array.from(sums, ([id, sum]) => ({ id, value: sum / samples }));
  classes.sort((one, other) => other.value - one.value || one.id - other.id);
  const means = Object.fromEntries(MEASURES.map((measure) => [measure, weightedMean(level, cells, measure)]));
  return { samples, cells, drawn, classes: classes.slice(0, LISTED), means: means as Region["means"] };
}

/** Cells of `level` with samples in an area of that level. */
export function cellsInArea(level: LevelData, area: Area): number[] {
  const cells: number[] = [];
  for (let cell = 0; cell < level.cells; cell++) {
    if (area.has(level.row(cell), level.column(cell))) cells.push(cell);
  }
  return cells;
}

function weightedMean(level: LevelData, cells: readonly number[], measure: RegionMeasure): number {
  let [sum, weights] = [0, 0];
  for (const cell of cells) {
    const [value, weight] = [level.value(measure, cell), level.value("count", cell)];
    if (Number.isNaN(value)) continue;
    sum += weight * value;
    weights += weight;
  }
  return sum / weights;
}

/** Rectangle between two corners in any order. */
export function boxBetween(size: number, one: Corner, other: Corner): Box {
  return {
    size,
    top: Math.min(one.row, other.row),
    left: Math.min(one.column, other.column),
    bottom: Math.max(one.row, other.row),
    right: Math.max(one.column, other.column),
  };
}

export interface Corner {
  readonly row: number;
  readonly column: number;
}

/** Number of cells as text; of a rectangle, width and height. */
export function describeExtent({ positions, isBox, bounds }: Area): string {
  const { top, left, bottom, right } = bounds;
  if (positions === 1) return "1 cell";
  return isBox ? `${right - left + 1} × ${bottom - top + 1} cells` : `${positions} cells`;
}

// Table of a region's mean measures.

const NUMBERS: readonly (readonly [RegionMeasure, string, string])[] = [
  [
    "fidelity",
    "fidelity",
    "Cosine between the icons' activations and their cells' mean activations; at most 1.",
  ],
  [
    "fidelity_centred",
    "centered fidelity",
    "The same after subtracting the layer's mean; the one to judge by.",
  ],
  [
    "reliability",
    "reliability",
    "Centered cosine between the mean activations of two halves of each cell's images.",
  ],
  [
    "spread",
    "spread",
    "Mean distance (1 minus cosine) of the samples from their cell's mean: 0 identical, 1 unrelated.",
  ],
];

export function createRegionNumbers({ means }: Region): HTMLElement {
  const list = el("dl", { class: "numbers" });
  for (const [measure, name, meaning] of NUMBERS) {
    const title = `${meaning} Mean over the region's samples.`;
    list.append(el("div", { title }, el("dt", {}, name), el("dd", {}, decimal(means[measure]))));
  }
  return list;
}
