// Text descriptions of a cell, for the hover card, the panel and screen readers.

import { sidesOf } from "../classes/class-bars";
import { attribution, findWinner } from "../data/attribution";
import { cellClassName } from "../data/cell-names";
import { describeChannel } from "../data/channels";
import { describeDensity } from "../data/density";
import { count, decimal, signed } from "../data/format";
import type { ClassValue } from "../data/level";
import type { Manifest } from "../data/manifest";
import { describeDoubt, doubtsOf } from "../data/verdict";
import type { Scene } from "../state/scene";
import type { State } from "../state/state";

/**
 * Classes listed for a cell: the highlighted ones first if they are several, or else a single one added if missing.
 */
export function classesOf(scene: Scene, cell: number): ClassValue[] {
  const listed = scene.level.topClasses(cell);
  const { heatmap, highlights } = scene;
  if (highlights.length > 1) {
    const others = listed.filter(({ id }) => !highlights.some((entry) => entry.id === id));
    return [...highlightedValues(scene, cell), ...others];
  }
  if (!heatmap || listed.some(({ id }) => id === heatmap.classId)) return listed;
  return [...listed, { id: heatmap.classId, value: attribution(heatmap, cell) }];
}

/** The highlighted classes with the cell's values, in the order of selection. */
export function highlightedValues({ level, highlights }: Scene, cell: number): ClassValue[] {
  const listed = level.topClasses(cell);
  return highlights.map(({ id, heatmap }) => ({
    id,
    value: listed.find((entry) => entry.id === id)?.value ?? attribution(heatmap, cell),
  }));
}

/** Name, value and definition of a cell's measures. */
export function cellMeasures(scene: Scene, cell: number): { name: string; value: string; meaning: string }[] {
  const { level } = scene;
  const of = (column: "fidelity" | "fidelity_centred" | "legibility" | "reliability" | "spread"): string =>
    decimal(level.value(column, cell));
  const legibility = {
    name: "legibility",
    value: of("legibility"),
    meaning:
      "Share of the other cells whose real patches look less like the icon to a network that did not render it.",
  };
  return [
    {
      name: "fidelity",
      value: of("fidelity"),
      meaning: "Cosine between the icon's activation and the cell's mean activation; at most 1.",
    },
    {
      name: "centered fidelity",
      value: of("fidelity_centred"),
      meaning: "The same after subtracting the layer's mean from both; the one to judge by.",
    },
    {
      name: "reliability",
      value: of("reliability"),
      meaning: "Centered cosine between the mean activations of two halves of the cell's images; at most 1.",
    },
    {
      name: "spread",
      value: of("spread"),
      meaning:
        "Mean distance (1 minus cosine) of the samples from the cell's mean: 0 identical, 1 unrelated.",
    },
    ...(level.has("legibility") ? [legibility] : []),
  ];
}

/** Which of several highlighted classes has the largest attribution; empty for one. */
export function describeWinner(
  { highlights }: Scene,
  cell: number,
  names: readonly string[],
  sign: State["sign"],
): string {
  if (highlights.length < 2) return "";
  const heatmaps = highlights.map(({ heatmap }) => heatmap);
  const winner = highlights[findWinner(heatmaps, sign, cell)];
  if (!winner) return `no ${sign < 0 ? "negative" : "positive"} attribution to the highlighted classes; `;
  const name = names[winner.id] ?? `class ${winner.id}`;
  return sign < 0 ? `most negative for ${name}; ` : `largest for ${name}; `;
}

/** One sentence for screen readers. */
export function describeCell(
  { network: { classes: names }, verdict }: Manifest,
  scene: Scene,
  cell: number,
  sign: State["sign"],
): string {
  const { level } = scene;
  const sides = sidesOf(scene, cell);
  const listed = sides ?? classesOf(scene, cell);
  const classes = listed.map(({ id, value }) => `${names[id] ?? id} ${signed(value)}`);
  const position = `Row ${level.row(cell)}, column ${level.column(cell)} of ${level.size}`;
  const samples = count(level.value("count", cell), "sample");
  const fidelity = `centered fidelity ${decimal(level.value("fidelity_centred", cell))}`;
  const density = scene.density ? ` ${describeDensity(scene.density, level.size, cell)}.` : "";
  const channel = scene.channel ? ` ${describeChannel(scene.channel, level.size, cell)}.` : "";
  const winner = describeWinner(scene, cell, names, sign);
  const name = sides || winner ? "" : cellClassName(level, cell, names);
  const listing = level.hasAttributions
    ? `${name ? `${name}; ` : ""}${classes.join(", ") || "no class"}; `
    : "";
  const reasons = doubtsOf(verdict, level, cell).map((doubt) => ` ${describeDoubt(doubt)}.`);
  return `${position}: ${samples}; ${winner}${listing}${fidelity}.${reasons.join("")}${density}${channel}`;
}
