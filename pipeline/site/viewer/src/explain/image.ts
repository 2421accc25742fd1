// One explained image: its photograph, its heat maps in full size, its nearest images, its smallest change.

import { activation, decimal, percent } from "../data/format";
import type { Manifest } from "../data/manifest";
import { el } from "../ui/dom";
import { createFooling } from "./fooling";
import { createInAtlas } from "./in-atlas";
import { columnName, methodName } from "./methods";
import { createNeighbors } from "./neighbors";
import { createColorScale, createHeatmap, createLayerName, createPhotograph } from "./overview";
import { type Explanations, type Row, rowName, subject, toHash } from "./result";

/** Everything about a row. */
export function createImage(manifest: Manifest, found: Explanations, row: Row): HTMLElement[] {
  const facts = el(
    "div",
    { class: "facts" },
    createFigures(found, row),
    ...createLinks(manifest, found, row),
  );
  const overview = found.photographs
    ? el(
        "div",
        { class: "overview" },
        el("figure", { class: "main" }, createPhotograph(found, row), el("figcaption", {}, row.key)),
        facts,
      )
    : el("div", { class: "facts-alone" }, facts);
  const sections = [
    createHeatmaps(found, row),
    createInAtlas(found, row),
    createNeighbors(found, row),
    createFooling(found, row),
  ];
  return [createNavigation(found, row), overview, ...sections.filter((one) => one !== null)];
}

function createNavigation(found: Explanations, row: Row): HTMLElement {
  const index = found.rows.indexOf(row);
  const link = (offset: number, text: string, rel: string): HTMLElement | null =>
    found.rows[index + offset]
      ? el("a", { href: toHash({ layer: found.layer, row: index + offset }), rel }, text)
      : null;
  return el(
    "nav",
    { class: "units", "aria-label": "Images" },
    el("a", { href: toHash({ layer: found.layer, row: null }) }, `All images, ${subject(found.layer)}`),
    link(-1, "← Previous image", "prev"),
    link(1, "Next image →", "next"),
  );
}

function createFigures(found: Explanations, row: Row): HTMLElement {
  const score = found.of_classes ? "Logit" : "Highest activation";
  const items: readonly (readonly [string, string])[] = [
    ["Explained", row.name === null ? `${rowName(row)} of ${found.layer}` : rowName(row)],
    ...(row.share === null ? [] : [["Probability", percent(row.share)] as const]),
    [score, activation(row.score)],
    ...(row.label === null ? [] : [["Label of the image", row.label] as const]),
    ...(found.photographs ? [] : [["Image", row.key] as const]),
  ];
  return el(
    "dl",
    { class: "figures" },
    ...items.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

/** To the class in the atlas, and to the page of the class or unit. */
function createLinks(
  manifest: Manifest,
  { layer, of_classes: classes }: Explanations,
  row: Row,
): HTMLElement[] {
  const links: HTMLElement[] = [];
  if (classes && manifest.recorded.attributions) {
    const hash = new URLSearchParams({ layer: manifest.initial_layer, class: String(row.unit) });
    links.push(el("a", { href: `index.html#${hash}` }, "Show the class in the atlas"));
  }
  if (manifest.units[layer]?.includes(row.unit)) {
    const hash = new URLSearchParams({ layer, unit: String(row.unit) });
    const text = classes ? "Images optimized for the class" : "What the unit responds to";
    links.push(el("a", { href: `units.html#${hash}` }, text));
  }
  return links.map((link) => el("p", { class: "links" }, link));
}

function createHeatmaps(found: Explanations, row: Row): HTMLElement {
  const figures = found.columns.map((column, index) => {
    const cell = row.cells[index];
    const { method, layer } = column;
    const values = [
      `deletion ${decimal(cell?.deletion ?? Number.NaN)}`,
      `insertion ${decimal(cell?.insertion ?? Number.NaN)}`,
    ];
    return el(
      "figure",
      { title: columnName(column) },
      createHeatmap(found, row, index),
      el(
        "figcaption",
        {},
        el("span", { class: "method" }, methodName(method)),
        layer ? el("span", { class: "secondary" }, ...createLayerName(layer)) : null,
        createColorScale(column),
        el("span", { class: "areas" }, ...values.map((text) => el("span", {}, text))),
      ),
    );
  });
  const score = found.of_classes ? "score of the class" : "activation of the unit";
  const what = `Orange raises the ${score}${found.columns.some(({ signed }) => signed) ? ", blue lowers it" : ""}. Below each: the areas under the curves of deletion, where lower is better, and of insertion, where higher is better, for this image alone.`;
  return el(
    "section",
    { class: "all-heatmaps" },
    el("h2", {}, "Heat maps"),
    el("p", { class: "summary" }, what),
    el("div", { class: "pictures" }, ...figures),
  );
}
