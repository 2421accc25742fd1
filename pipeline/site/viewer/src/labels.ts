// How many of a part's images bear which label.

import type { About } from "./about";
import { el } from "./dom";
import { count } from "./format";

const LISTED = 8;

export interface LabelCount {
  /** null for images without one. */
  readonly label: string | null;
  readonly images: number;
}

/** Images of each label, the most frequent first. */
export function countLabels(abouts: readonly About[]): LabelCount[] {
  const counts = new Map<string | null, number>();
  for (const { label } of abouts) counts.set(label, (counts.get(label) ?? 0) + 1);
  const found = Array.from(counts, ([label, images]) => ({ label, images }));
  return found.sort((one, other) => other.images - one.images);
}

/** The most frequent labels with bars, and how many others there are. */
export function labelBars(counts: readonly LabelCount[]): HTMLElement {
  const named = counts.filter(({ label }) => label !== null);
  if (!named.length) return el("p", { class: "nothing" }, "The images bear no labels.");
  const longest = counts[0]?.images ?? 1;
  const list = el("ol", { class: "bars" });
  for (const { label, images } of counts.slice(0, LISTED)) {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * images) / longest}%`;
    const name = label === null ? el("em", {}, "no label") : label;
    const face = [
      el("span", { class: "name", title: label }, name),
      el("span", { class: "value" }, count(images, "image")),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    ];
    list.append(el("li", { class: "row" }, ...face));
  }
  const others = counts.length - LISTED;
  return others > 0
    ? el("div", {}, list, el("p", { class: "fine" }, `and ${count(others, "other label")}`))
    : list;
}
