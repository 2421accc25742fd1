// Images with their pictures and names, those with the most samples first.

import type { Area } from "../data/area";
import { count, percent } from "../data/format";
import type { About, ImageSource, Tally } from "../data/images";
import { choice } from "../ui/controls";
import { el } from "../ui/dom";

const FIRST = 24;
const MORE = 48;

/** How many images there are, and the first of them; a button shows more. */
export function imageList(
  source: ImageSource,
  tallies: readonly Tally[],
  report: (error: unknown) => void,
): HTMLElement {
  if (!tallies.length) return el("p", { class: "nothing" }, "None of its samples lie here.");
  const list = el("ol", { class: "images" });
  const more = el("button", { type: "button", class: "more" });
  const samples = tallies.reduce((sum, tally) => sum + tally.samples, 0);
  const summary = `${count(tallies.length, "different image")}, ${count(samples, "sample")}`;
  const extend = async (step: number): Promise<void> => {
    const shown = list.children.length;
    const next = tallies.slice(shown, shown + step);
    const about = await source.about(next.map(({ image }) => image));
    if (list.children.length !== shown) return;
    list.append(...next.map((tally, index) => row(about[index], tally)));
    const left = tallies.length - list.children.length;
    more.hidden = left === 0;
    more.textContent = left > MORE ? `Show ${MORE} more of ${left}` : `Show ${left} more`;
  };
  more.hidden = true;
  more.addEventListener("click", () => extend(MORE).catch(report));
  extend(FIRST).catch(report);
  return el("div", { class: "image-list" }, el("p", { class: "fine" }, summary), list, more);
}

function row(about: About | undefined, tally: Tally): HTMLElement {
  const { key = "", label = null, address = null } = about ?? {};
  const picture = el("span", { class: "thumbnail" });
  if (address) picture.append(el("img", { src: address, alt: "", loading: "lazy", draggable: "false" }));
  const text = el("span", { class: "text" });
  if (label !== null) text.append(el("span", { class: "label" }, label));
  text.append(el("span", { class: "key" }, key));
  const face = [picture, text, el("span", { class: "value" }, count(tally.samples, "sample"))];
  const title = label === null ? key : `${label}, ${key}`;
  if (!address) return el("li", {}, el("span", { class: "image", title }, ...face));
  return el(
    "li",
    {},
    el("a", { class: "image", title, href: address, target: "_blank", rel: "noopener" }, ...face),
  );
}

// The images of a cell or a region, with a choice of the image set where there are two.

export interface PartImages {
  /** Null where there is nothing to choose. */
  readonly choice: HTMLElement | null;
  readonly list: HTMLElement;
}

let preferred: ImageSource["name"] = "second"; // what people chose last: the next cell follows it

/**
 * A list that fills itself, first with the images of the set that was chosen last.
 *
 * @param sources at least one.
 * @param heard is told the images whenever they are shown.
 */
export function partImages(
  sources: readonly ImageSource[],
  area: Area,
  report: (error: unknown) => void,
  heard: (source: ImageSource, tallies: readonly Tally[]) => void = () => {},
): PartImages {
  const list = el("div");
  let shown: ImageSource | undefined;
  const show = (source: ImageSource | undefined): void => {
    shown = source;
    list.replaceChildren(el("div", { class: "waiting" }));
    const fill = (tallies: Tally[]): void => {
      if (!source || shown !== source) return;
      list.replaceChildren(imageList(source, tallies, report));
      heard(source, tallies);
    };
    source?.members(area).then(fill).catch(report);
  };
  const named = (name: string): ImageSource | undefined =>
    sources.find((source) => source.name === name) ?? sources[0];
  show(named(preferred));
  if (sources.length < 2) return { choice: null, list };
  const whose = choice("Whose images", (name) => {
    preferred = named(name)?.name ?? preferred;
    show(named(name));
  });
  whose.element.classList.add("whose");
  whose.offer(sources.map(({ name, face }) => ({ value: name, face })));
  whose.choose(shown?.name ?? "");
  return { choice: whose.element, list };
}

// Which labels the samples of a part bear.

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
