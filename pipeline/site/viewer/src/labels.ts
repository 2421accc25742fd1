// Which labels the samples of a part bear.

import type { About } from "./about";
import { el } from "./dom";
import { count, percent } from "./format";
import type { Tally } from "./members";

const LISTED = 8;

export interface LabelCount {
  /** null for images without one. */
  readonly label: string | null;
  images: number;
  samples: number;
}

/** Images and samples of each label, the one with the most samples first. */
export function countLabels(tallies: readonly Tally[], abouts: readonly About[]): LabelCount[] {
  const counts = new Map<string | null, LabelCount>();
  tallies.forEach(({ samples }, index) => {
    const label = abouts[index]?.label ?? null;
    const entry = counts.get(label) ?? { label, images: 0, samples: 0 };
    entry.images += 1;
    entry.samples += samples;
    counts.set(label, entry);
  });
  return [...counts.values()].sort((one, other) => other.samples - one.samples);
}

/** The most frequent labels with their images and share of the samples, and how many others there are. */
export function labelBars(counts: readonly LabelCount[]): HTMLElement {
  if (counts.every(({ label }) => label === null)) {
    return el("p", { class: "nothing" }, "The images bear no labels.");
  }
  const all = counts.reduce((sum, { samples }) => sum + samples, 0);
  const longest = counts[0]?.samples ?? 1;
  const list = el("ol", { class: "bars" });
  for (const { label, images, samples } of counts.slice(0, LISTED)) {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * samples) / longest}%`;
    const value = `${count(images, "image")} · ${percent(samples / all)}`;
    const face = [
      el("span", { class: "name", title: label }, label ?? el("em", {}, "no label")),
      el("span", { class: "value", title: `${percent(samples / all)} of the samples` }, value),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    ];
    list.append(el("li", { class: "row" }, ...face));
  }
  const others = counts.length - LISTED;
  if (others <= 0) return list;
  return el("div", {}, list, el("p", { class: "fine" }, `and ${count(others, "other label")}`));
}
