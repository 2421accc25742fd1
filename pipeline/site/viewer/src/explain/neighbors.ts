// The images nearest to an explained one: by pixels, and by the network’s features.

import { percent } from "../data/format";
import { el } from "../ui/dom";
import {
  type Explanations,
  explainFile,
  type IntervalValue,
  type Neighbors,
  type Row,
  type Space,
} from "./result";
import { describeBounds } from "./verdict";

const SPACES: readonly Space[] = ["pixels", "features"];

/** The nearest images of all compared ones, in figures; null where there are none. */
export function createAgreement({ neighbors }: Explanations): HTMLElement | null {
  const text = neighbors && describeAgreement(neighbors);
  if (!text) return null;
  const what =
    "Images near in the last layer before the classes are alike to the network; the page of each image shows both kinds (Krizhevsky et al. 2012).";
  return el(
    "section",
    {},
    el("h2", {}, "Nearest images"),
    el("p", { class: "summary" }, what),
    el("p", { class: "about agreement" }, text),
  );
}

/** The section of an image; null where there are none. */
export function createNeighbors({ layer, neighbors }: Explanations, { image }: Row): HTMLElement | null {
  const found = neighbors?.images[String(image)];
  if (!neighbors || !found) return null;
  const titles: Readonly<Record<Space, string>> = { pixels: "By pixels", features: "By the last layer" };
  const features = neighbors.feature ? ` The last layer is ${neighbors.feature}.` : "";
  const groups = SPACES.map((space) =>
    el(
      "div",
      { class: space },
      el("h3", {}, titles[space]),
      el("div", { class: "pictures" }, ...found[space].map((row) => createFigure(layer, neighbors, row))),
    ),
  );
  return el(
    "section",
    { class: "neighbors" },
    el("h2", {}, "Nearest images"),
    el(
      "p",
      { class: "summary" },
      `Images that are far in pixels but near in the last layer before the classes are alike to the network (Krizhevsky et al. 2012).${features} `,
      describeAgreement(neighbors),
    ),
    el("div", { class: "spaces" }, ...groups),
  );
}

function createFigure(layer: string, { names }: Neighbors, row: number): HTMLElement {
  const [key, label] = names[String(row)] ?? [`image ${row}`, null];
  const image = el("img", {
    src: explainFile(layer, "thumbnails", row),
    alt: key,
    loading: "lazy",
    decoding: "async",
  });
  return el(
    "figure",
    { title: key },
    el("span", { class: "picture" }, image),
    label === null ? null : el("figcaption", {}, label),
  );
}

function describeAgreement({ agreement }: Neighbors): string {
  if (!agreement?.pixels || !agreement.features) return "";
  const text = (one: IntervalValue): string =>
    `${percent(one.value)} (${one.low === null ? "" : "95 % interval "}${describeBounds(one, percent)})`;
  return `Over all compared images, ${text(agreement.pixels)} of the nearest by pixels have the image’s label, and ${text(agreement.features)} of the nearest by the last layer.`;
}
