// Comparison sheets: the same units optimized in different ways, one a column.

import { decimal } from "../data/format";
import { el } from "../ui/dom";
import { createStripPart } from "../ui/strip";
import {
  type ComparisonSheet,
  type LayerUnits,
  type Selection,
  type SheetCell,
  type SheetName,
  type SheetRow,
  sheetFile,
  toHash,
  unitName,
} from "./result";

interface Description {
  readonly title: string;
  readonly text: string;
}

export const SHEETS: Readonly<Record<SheetName, Description>> = {
  ascent: {
    title: "Gradient ascent on pixels",
    text: "Images of units by plain gradient ascent on RGB values, as first published, and what each of its regularizers changes.",
  },
  start: {
    title: "Start of the optimization",
    text: "The same gradient ascent from different starts. What differs between the columns is due to the start alone.",
  },
  regularization: {
    title: "Spectrum of regularization",
    text: "From no regularization to priors learned from the images. The further to the right, the more of the image comes from the prior rather than from the unit.",
  },
  preconditioning: {
    title: "Preconditioning",
    text: "Steepest ascent in three metrics: one step, stopped at equal activation, and all steps. Columns that differ at equal activation lead to other images, not only faster to the same.",
  },
  interpolation: {
    title: "Interpolation between units",
    text: "Both units are optimized together, from all of the first to all of the second. Aligned images are also held like their neighbors.",
  },
  training: {
    title: "Units over the training",
    text: "The same units of the network at earlier states of its training, each image by that state of the network.",
  },
  layers: {
    title: "Classes from layer to layer",
    text: "What the images of a class have in common at each layer of the atlas, and the image of the class itself.",
  },
  directions: {
    title: "Weighted sums of channels",
    text: "Images of directions that add or subtract channels, and of the whole layer.",
  },
  rotation: {
    title: "Channels and random axes",
    text: "Channels beside axes of a random rotation of the layer. Where single channels have a meaning of their own, random axes have less of one.",
  },
  change: {
    title: "Changes of a photograph",
    text: "How a photograph must change for a unit to become as active as in few images.",
  },
  gradients: {
    title: "Gradients behind strides and pooling",
    text: "The gradient of each unit with respect to the pixels of its strongest patch. Strides and maxima pass it to some positions and skip their neighbors; averages do not.",
  },
};

/** What the figures below the images of a sheet mean, where they are not those of the other sheets. */
const FIGURES: Readonly<Partial<Record<SheetName, string>>> = {
  interpolation:
    "Below each image: the activation of both units, as multiples of their highest ones in the images.",
  training:
    "Below each image: the activation that it reaches, as a multiple of the highest that the column’s network has in the images; and the share of the unit’s strongest images, in the run’s network, that are also its strongest in the column’s. Images are optimized without the pull towards feature statistics.",
  layers:
    "Below each image: fidelity, the cosine between its mean activation and that of the images of the class’s highest logits, both minus the layer’s mean; below the last one the logit that it reaches, as a multiple of the highest in the images.",
  directions:
    "Below each image: fidelity, the cosine between its mean activation, minus the layer’s mean, and the direction. Channels after a ReLU are never below zero: the opposite of their sum asks for nothing, and its image stays empty.",
  rotation:
    "Below each image: the activation along the axis that it reaches, as a multiple of the highest in the images, and, where the image set has masks, the concept that overlaps most with where the axis is active (intersection over union).",
  change:
    "Below each image: the unit’s activation, as a multiple of the highest in the images, and the size of the change, root mean square of pixels in 0 to 1. The aim is the activation that 0.5 % of all positions exceed, or half of the highest.",
  gradients:
    "Below each image: the share of the gradient’s power above a quarter cycle a pixel, half of the highest frequency, in the mean over up to 16 images in which the unit is active. Only modules of the network are replaced, not what its code calls as functions; its weights stay.",
};

const PLAIN_FIGURES: readonly SheetName[] = ["ascent", "start", "regularization", "preconditioning"];

/** Links to the sheets of a layer; null where the run has none. */
export function createSheetLinks(found: LayerUnits, selection: Selection): HTMLElement | null {
  if (!found.sheets.length) return null;
  const links = found.sheets.map(({ name }) =>
    el(
      "li",
      {},
      el("a", { href: toHash({ ...selection, unit: null, sheet: name }) }, SHEETS[name].title),
      el("span", { class: "secondary" }, ` ${SHEETS[name].text}`),
    ),
  );
  return el("section", { class: "sheets" }, el("h2", {}, "Comparison sheets"), el("ul", {}, ...links));
}

/** A sheet as a table of pictures. */
export function createComparisonSheet(
  found: LayerUnits,
  sheet: ComparisonSheet,
  selection: Selection,
): HTMLElement[] {
  const { title, text } = SHEETS[sheet.name];
  const head = el(
    "tr",
    {},
    el("td", {}),
    ...sheet.columns.map(({ name, source }) =>
      el("th", { scope: "col" }, name, source ? el("span", { class: "secondary" }, source) : null),
    ),
  );
  const rows = sheet.rows.map((row, number) => createRow(found, sheet, row, number, selection));
  const table = el(
    "table",
    { class: "comparison" },
    el("caption", { class: "visually-hidden" }, `${title}, units of ${found.layer}`),
    el("thead", {}, head),
    el("tbody", {}, ...rows),
    createSummary(sheet),
  );
  return [
    el(
      "nav",
      { class: "units", "aria-label": "Units" },
      el("a", { href: toHash({ ...selection, unit: null, sheet: null }) }, `All units of ${found.layer}`),
    ),
    el("p", { class: "lead" }, text),
    sheet.rows.length
      ? null
      : el("p", { role: "note" }, "No unit, or pair of units, is active in the images."),
    el("div", { class: "table whole", tabindex: 0, role: "region", "aria-label": title }, table),
    createNotes(sheet),
  ].filter((one) => one !== null);
}

function createRow(
  found: LayerUnits,
  sheet: ComparisonSheet,
  row: SheetRow,
  number: number,
  selection: Selection,
): HTMLElement {
  const header = el("th", { scope: "row" }, ...createRowHeader(found, sheet, row, selection));
  const cells = row.cells.map((cell, column) => {
    const name = `${rowName(found, sheet, row)}: ${sheet.columns[column]?.name}`;
    return el("td", {}, createCell(found.layer, sheet, cell, number, column, name));
  });
  return el("tr", {}, header, ...cells);
}

/** The units of a row, linked where the run describes them. */
function createRowHeader(
  found: LayerUnits,
  sheet: ComparisonSheet,
  row: SheetRow,
  selection: Selection,
): (HTMLElement | string)[] {
  const units = row.channels.map((channel) => {
    const name = shortName(found, channel);
    const described = found.units.some((one) => one.channel === channel);
    return described ? el("a", { href: toHash({ ...selection, unit: channel, sheet: null }) }, name) : name;
  });
  const text = row.text ? [el("span", { class: "secondary" }, row.text)] : [];
  if (sheet.name === "directions") {
    const list = units.flatMap((unit, number) => (number ? [", ", unit] : [unit]));
    return [row.text, ...(list.length ? [el("span", { class: "secondary" }, ...list)] : [])];
  }
  if (sheet.name !== "start" && sheet.name !== "interpolation") return [...units, ...text];
  const what = sheet.name === "interpolation" ? "Neighbors" : "Pictures";
  const distance = row.distance
    ? [`${what} differ by ${decimal(row.distance[0])} (pixels), ${decimal(row.distance[1])} (activation).`]
    : [];
  const [first, second] = units;
  return [
    first ?? "",
    ...(second ? [" → ", second] : []),
    ...text,
    el("span", { class: "secondary" }, ...distance),
  ];
}

function rowName(found: LayerUnits, sheet: ComparisonSheet, { channels, text }: SheetRow): string {
  if (sheet.name === "directions") return text;
  return channels.map((channel) => shortName(found, channel)).join(" and ");
}

function shortName({ units }: LayerUnits, channel: number): string {
  const unit = units.find((one) => one.channel === channel);
  return unit?.name ?? unitName({ channel, name: null });
}

function createCell(
  layer: string,
  { name: sheet, columns }: ComparisonSheet,
  cell: SheetCell | null,
  row: number,
  column: number,
  name: string,
): HTMLElement {
  if (!cell) return el("span", { class: "picture missing" }, "no picture");
  const picture = createStripPart(sheetFile(layer, sheet, row), name, column, 0, columns.length, 1);
  return el(
    "figure",
    {},
    picture,
    el("figcaption", {}, ...describe(cell).map((line) => el("span", {}, line))),
  );
}

/** What was measured on a picture, a line each. */
function describe({ activation, fidelity, recognized, shared, concept, change, fine }: SheetCell): string[] {
  const lines = activation.length ? [activation.map((value) => `${value.toFixed(1)} ×`).join(" and ")] : [];
  if (fidelity !== null) lines.push(`fidelity ${decimal(fidelity)}`);
  if (recognized !== null)
    lines.push(recognized > 0.5 ? "recognized" : recognized > 0 ? "recognized in part" : "not recognized");
  if (shared !== null) lines.push(`${Math.round(100 * shared)} % of the same images`);
  if (concept) lines.push(`${concept.name}, IoU ${decimal(concept.iou)}`);
  if (change !== null) lines.push(`change ${decimal(change)}`);
  if (fine !== null) lines.push(`${Math.round(100 * fine)} % fine`);
  return lines;
}

/** Medians of each column, in the foot of the table. */
function createSummary({ name, rows, columns }: ComparisonSheet): HTMLElement | null {
  if (!PLAIN_FIGURES.includes(name) || rows.length < 2) return null;
  const cells = columns.map((_, column) => {
    const found = rows.flatMap(({ cells: all }) => all[column] ?? []);
    if (!found.length) return el("td", {}, "–");
    const lines = [`${median(found.map(({ activation }) => activation[0] ?? Number.NaN)).toFixed(1)} ×`];
    const fidelity = found.flatMap(({ fidelity: value }) => value ?? []);
    if (fidelity.length) lines.push(`fidelity ${decimal(median(fidelity))}`);
    const judged = found.flatMap(({ recognized }) => recognized ?? []);
    if (judged.length) {
      const sum = judged.reduce((total, value) => total + value, 0);
      lines.push(`recognized ${Number.isInteger(sum) ? sum : sum.toFixed(1)} of ${judged.length}`);
    }
    return el("td", {}, ...lines.map((line) => el("span", {}, line)));
  });
  return el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, "Median"), ...cells));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function createNotes({ name, columns, rows }: ComparisonSheet): HTMLElement {
  const judged = rows.some(({ cells }) => cells.some((cell) => cell !== null && cell.recognized !== null));
  const figures =
    FIGURES[name] ??
    `Below each image: the activation that it reaches, as a multiple of the highest in the images; fidelity, the cosine between its mean activation and that of the unit’s strongest patches, both minus the layer’s mean${judged ? "; and whether another network finds the unit’s own patches most alike among the units of the sheet" : ""}. Activations are measured under random transforms, which an image without any prior may not survive. A high activation alone says little. Inactive units pass gradient during the first steps, in all columns.`;
  const items = columns.map(({ name: title, text, source }) =>
    el("div", {}, el("dt", {}, title), el("dd", {}, text, source ? ` ${source}.` : "")),
  );
  return el(
    "section",
    { class: "notes" },
    el("p", { class: "summary" }, figures),
    name === "interpolation" ? null : el("dl", {}, ...items),
  );
}
