// Lists of images with thumbnails, keys and labels, most samples first.

import type { Area } from "../data/area";
import { count, percent } from "../data/format";
import type { ImageCount, ImageInfo, ImageSource } from "../data/images";
import { createRadioGroup } from "../ui/controls";
import { el } from "../ui/dom";

const FIRST = 24;
const MORE = 48;

/** Number of images and the first of them; a button shows more. */
export function createImageList(
  source: ImageSource,
  imageCounts: readonly ImageCount[],
  reportError: (error: unknown) => void,
): HTMLElement {
  if (!imageCounts.length) return el("p", { class: "empty" }, "It has no samples here.");
  const list = el("ol", { class: "images" });
  const more = el("button", { type: "button", class: "more" });
  const samples = imageCounts.reduce((sum, imageCount) => sum + imageCount.samples, 0);
  const summary = `${count(imageCounts.length, "different image")}, ${count(samples, "sample")}`;
  const extend = async (step: number): Promise<void> => {
    const shown = list.children.length;
    const next = imageCounts.slice(shown, shown + step);
    const info = await source.loadInfo(next.map(({ image }) => image));
    if (list.children.length !== shown) return;
    list.append(...next.map((imageCount, index) => createImageRow(info[index], imageCount)));
    const left = imageCounts.length - list.children.length;
    more.hidden = left === 0;
    more.textContent = left > MORE ? `Show ${MORE} more of ${left}` : `Show ${left} more`;
  };
  more.hidden = true;
  more.addEventListener("click", () => extend(MORE).catch(reportError));
  extend(FIRST).catch(reportError);
  return el("div", { class: "image-list" }, el("p", { class: "secondary" }, summary), list, more);
}

function createImageRow(info: ImageInfo | undefined, imageCount: ImageCount): HTMLElement {
  const { key = "", label = null, url = null } = info ?? {};
  const thumbnail = el("span", { class: "thumbnail" });
  if (url) thumbnail.append(el("img", { src: url, alt: "", loading: "lazy", draggable: "false" }));
  const text = el("span", { class: "text" });
  if (label !== null) text.append(el("span", { class: "label" }, label));
  text.append(el("span", { class: "key" }, key));
  const content = [thumbnail, text, el("span", { class: "value" }, count(imageCount.samples, "sample"))];
  const title = label === null ? key : `${label}, ${key}`;
  if (!url) return el("li", {}, el("span", { class: "image", title }, ...content));
  return el(
    "li",
    {},
    el("a", { class: "image", title, href: url, target: "_blank", rel: "noopener" }, ...content),
  );
}

// Images of a cell or a region, with a choice of the image set if there are two.

export interface ImageSection {
  /** Null if there is only one image set. */
  readonly choice: HTMLElement | null;
  readonly list: HTMLElement;
}

let preferredSet: ImageSource["name"] = "second"; // the last choice, which applies to the next cell, too

/**
 * List that loads itself, starting with the image set chosen last.
 *
 * @param sources at least one.
 * @param onShown called with the images whenever they are shown.
 */
export function createImageSection(
  sources: readonly ImageSource[],
  area: Area,
  reportError: (error: unknown) => void,
  onShown: (source: ImageSource, imageCounts: readonly ImageCount[]) => void = () => {},
): ImageSection {
  const list = el("div");
  let shown: ImageSource | undefined;
  const show = (source: ImageSource | undefined): void => {
    shown = source;
    list.replaceChildren(el("div", { class: "loading" }));
    const fill = (imageCounts: ImageCount[]): void => {
      if (!source || shown !== source) return;
      list.replaceChildren(createImageList(source, imageCounts, reportError));
      onShown(source, imageCounts);
    };
    source?.countImages(area).then(fill).catch(reportError);
  };
  const named = (name: string): ImageSource | undefined =>
    sources.find((source) => source.name === name) ?? sources[0];
  show(named(preferredSet));
  if (sources.length < 2) return { choice: null, list };
  const imageSetGroup = createRadioGroup("Image set", (name) => {
    preferredSet = named(name)?.name ?? preferredSet;
    show(named(name));
  });
  imageSetGroup.element.classList.add("image-set");
  imageSetGroup.setOptions(sources.map(({ name, label }) => ({ value: name, label })));
  imageSetGroup.choose(shown?.name ?? "");
  return { choice: imageSetGroup.element, list };
}

// Label counts of a region.

const LISTED = 8;

export interface LabelCount {
  /** null for images without a label. */
  readonly label: string | null;
  images: number;
  samples: number;
}

/** Images and samples per label, most samples first. */
export function countLabels(imageCounts: readonly ImageCount[], infos: readonly ImageInfo[]): LabelCount[] {
  const counts = new Map<string | null, LabelCount>();
  imageCounts.forEach(({ samples }, index) => {
    const label = infos[index]?.label ?? null;
    const entry = counts.get(label) ?? { label, images: 0, samples: 0 };
    entry.images += 1;
    entry.samples += samples;
    counts.set(label, entry);
  });
  return [...counts.values()].sort((one, other) => other.samples - one.samples);
}

/** Most frequent labels with images and share of samples, and the number of others. */
export function createLabelBars(counts: readonly LabelCount[]): HTMLElement {
  if (counts.every(({ label }) => label === null)) {
    return el("p", { class: "empty" }, "The images have no labels.");
  }
  const all = counts.reduce((sum, { samples }) => sum + samples, 0);
  const longest = counts[0]?.samples ?? 1;
  const list = el("ol", { class: "bars" });
  for (const { label, images, samples } of counts.slice(0, LISTED)) {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * samples) / longest}%`;
    const value = `${count(samples, "sample")} · ${percent(samples / all)}`;
    const content = [
      el("span", { class: "name", title: label }, label ?? el("em", {}, "no label")),
      el("span", { class: "value", title: `from ${count(images, "image")}` }, value),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    ];
    list.append(el("li", { class: "row" }, ...content));
  }
  const others = counts.length - LISTED;
  if (others <= 0) return list;
  return el("div", {}, list, el("p", { class: "secondary" }, `and ${count(others, "other label")}`));
}
