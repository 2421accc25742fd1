// The smallest change of an image that makes the network predict another class.

import { decimal, percent } from "../data/format";
import { el } from "../ui/dom";
import { createLegend, createLineChart, type Line, toPoints } from "../ui/line-chart";
import { createStripPart } from "../ui/strip";
import {
  atlasFile,
  changedFile,
  type Explanations,
  explainFile,
  type Fooling,
  type Row,
  type Values,
} from "./result";

const [ORIGINAL, CHANGED, CHANGE, FROM_NOISE] = [0, 1, 2, 3] as const; // places in a strip
const PICTURES = 4; // in a strip
const FURTHEST = 1.5; // end of the path, in multiples of the change

/** The section of a row; null where the run has not searched. */
export function createFooling(found: Explanations, row: Row): HTMLElement | null {
  const index = found.rows.indexOf(row);
  const result = found.fooling?.find((one) => one.row === index);
  if (!result) return null;
  const head = [
    el("h2", {}, `Smallest change to ${result.target_name}`),
    el(
      "p",
      { class: "summary" },
      "A change that is too small to see can change the class: high scores alone do not mean that the network recognizes what is in the image (Szegedy et al. 2014; Nguyen et al. 2015).",
    ),
  ];
  if (result.linf === null) {
    const text = `The search found no change that makes the network predict ${result.target_name}; that does not mean that there is none.`;
    const pictures = createPictures(found, result, [ORIGINAL, FROM_NOISE]);
    return el("section", { class: "fooling" }, ...head, el("p", { class: "nothing" }, text), pictures);
  }
  return el(
    "section",
    { class: "fooling" },
    ...head,
    createPictures(found, result, [ORIGINAL, CHANGED, CHANGE, FROM_NOISE]),
    el("div", { class: "along" }, createFigures(result), createPath(result)),
    ...(result.moved?.length ? [createMoved(found.layer, row, result)] : []),
  );
}

/** Where the positions fall in the atlas, before and after the change. */
function createMoved(explained: string, row: Row, result: Fooling): HTMLElement {
  const figures = (result.moved ?? []).flatMap(({ layer, share: moved }) => {
    const picture = (src: string, caption: string): HTMLElement =>
      el(
        "figure",
        {},
        el("img", { src, alt: caption, loading: "lazy", decoding: "async" }),
        el("figcaption", {}, caption),
      );
    return [
      picture(atlasFile(explained, layer, row.image), `${layer}, the image`),
      picture(
        changedFile(explained, layer, result.row),
        `${layer}, changed: ${percent(moved ?? Number.NaN)} of the positions resemble another cell most`,
      ),
    ];
  });
  return el(
    "div",
    { class: "moved" },
    el("h3", {}, "The change in the atlas"),
    el(
      "p",
      { class: "summary" },
      "Each position as the icon of the cell that its activation resembles most.",
    ),
    el("div", { class: "pictures" }, ...figures),
  );
}

function createPictures(
  found: Explanations,
  result: Fooling,
  places: readonly (0 | 1 | 2 | 3)[],
): HTMLElement {
  const src = explainFile(found.layer, "fooling", result.row);
  const { predicted_name: own, target_name: target, noise_probability: noise } = result;
  const captions = [
    `The image: ${withShare(own, result.own)}`,
    `Changed: ${withShare(target, result.probability)}`,
    `The change, × ${Math.round(result.factor)}; gray is none`,
    `Optimized from noise: ${withShare(target, noise ?? null)}`,
  ] as const;
  const figures = places.map((place) => {
    const caption = captions[place];
    return el(
      "figure",
      {},
      createStripPart(src, caption, place, 0, PICTURES, 1),
      el("figcaption", {}, caption),
    );
  });
  return el("div", { class: "pictures" }, ...figures);
}

function withShare(name: string, probability: number | null): string {
  return probability === null ? name : `${name} ${percent(probability)}`;
}

function createFigures({
  linf,
  l2,
  png,
  jpeg,
  predicted_name: own,
  target_name: target,
}: Fooling): HTMLElement {
  const held = (holds: boolean): string => (holds ? `still ${target}` : `no longer ${target}`);
  const items: readonly (readonly [string, string, string])[] = [
    [
      "Largest change of a value",
      levels(linf ?? Number.NaN),
      `The smallest that was found to lead from ${own} to ${target}; the pictures show it.`,
    ],
    [
      "Smallest length of a change",
      decimal(l2 ?? Number.NaN),
      "Euclidean norm over all values, each from 0 to 1; by a search of its own.",
    ],
    ["Saved as PNG", held(png), "Rounded to whole levels."],
    ["Saved as JPEG", held(jpeg), "Compressed with loss."],
  ];
  return el(
    "dl",
    { class: "figures" },
    ...items.map(([name, value, help]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value), el("dd", { class: "secondary" }, help)),
    ),
  );
}

function levels(value: number): string {
  return `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)} of 255 levels`;
}

function createPath({ path, predicted_name: own, target_name: target }: Fooling): HTMLElement {
  const toLine = (kind: string, name: string, values: Values): Line => ({
    kind,
    name,
    points: toPoints(values, FURTHEST),
  });
  const chart = createLineChart(
    "Probabilities along the change",
    [toLine("own", own, path.own), toLine("target", target, path.target)],
    { x: [0, FURTHEST], y: [0, 1], ends: ["no change", "1.5 times the change"], format: percent, upright: 1 },
  );
  return el(
    "figure",
    { class: "path" },
    el("figcaption", {}, "Probabilities along the change; the upright line is the change itself."),
    createLegend([
      ["own", own],
      ["target", target],
    ]),
    chart,
  );
}
