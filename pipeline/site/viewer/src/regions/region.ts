// A region of the atlas: what its cells say together.

import type { Area, Box } from "../data/area";
import { decimal } from "../data/format";
import type { ClassValue, LevelData } from "../data/level";
import { el } from "../ui/dom";

const MEASURES = ["fidelity", "fidelity_centred", "reliability", "spread"] as const;
export type RegionMeasure = (typeof MEASURES)[number];

export interface Region {
  readonly samples: number;
  /** Cells that hold samples, in the level's order, and how many of them have an icon. */
  readonly cells: readonly number[];
  readonly drawn: number;
  /**
   * The strongest classes: mean over the samples of what their cells list for the class. A cell lists only its few
   * strongest classes; where it does not list a class, 0 is counted.
   */
  readonly classes: readonly ClassValue[];
  /** Means over the samples of the cells for which a measure is known; NaN where none is. */
  readonly means: Readonly<Record<RegionMeasure, number>>;
}

const LISTED = 6;

/** Sum up the cells of `level` in an area of that level. */
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

/** The cells of `level` that hold samples in an area of that level. */
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

/** The rectangle between two corners, in any order. */
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

/** How many places it has, in words: of a rectangle, its width and height. */
export function describeExtent({ places, isBox, bounds }: Area): string {
  const { top, left, bottom, right } = bounds;
  if (places === 1) return "1 cell";
  return isBox ? `${right - left + 1} × ${bottom - top + 1} cells` : `${places} cells`;
}

// How good a region's icons are and how much its cells hold together: means over its samples.

const NUMBERS: readonly (readonly [RegionMeasure, string, string])[] = [
  [
    "fidelity",
    "fidelity",
    "Cosine between the icons' activations and their cells' mean activations; at most 1.",
  ],
  ["fidelity_centred", "centred", "The same after subtracting the layer's mean; the stricter measure."],
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
