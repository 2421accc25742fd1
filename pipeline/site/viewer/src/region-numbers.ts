// How good a region's icons are and how much its cells hold together: means over its samples.

import { el } from "./dom";
import { decimal } from "./format";
import type { Measure, Region } from "./region";

const TOLD: readonly (readonly [Measure, string, string])[] = [
  ["fidelity", "fidelity", "How well the icons excite what their cells' samples excite, at most 1."],
  ["fidelity_centred", "centred", "The same after taking the whole layer's mean off; the stricter measure."],
  ["reliability", "reliability", "Cosine between the means of two halves of each cell's images."],
  ["spread", "spread", "How much the samples within each cell differ: 0 all alike, 1 unrelated."],
];

export function regionNumbers({ means }: Region): HTMLElement {
  const list = el("dl", { class: "numbers" });
  for (const [measure, name, meaning] of TOLD) {
    const title = `${meaning} Mean over the region's samples.`;
    list.append(el("div", { title }, el("dt", {}, name), el("dd", {}, decimal(means[measure]))));
  }
  return list;
}
