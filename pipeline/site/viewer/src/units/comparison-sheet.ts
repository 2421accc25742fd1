// Comparison sheets: the same units optimized in different ways, one a column.

import { decimal } from "../data/format";
import { el } from "../ui/dom";
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
};

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
  const links = row.channels.map((channel) =>
    el("a", { href: toHash({ ...selection, unit: channel, sheet: null }) }, shortName(found, channel)),
  );
  const [first, second] = links;
  const distance = row.distance
    ? `${sheet.name === "interpolation" ? "Neighbors" : "Pictures"} differ by ${decimal(row.distance[0])} (pixels), ${decimal(row.distance[1])} (activation).`
    : "";
  const header = el(
    "th",
    { scope: "row" },
    first ?? "",
    ...(second ? [" → ", second] : []),
    row.text ? el("span", { class: "secondary" }, row.text) : null,
    sheet.name === "start" || sheet.name === "interpolation"
      ? el("span", { class: "secondary" }, distance)
      : null,
  );
  const cells = row.cells.map((cell, column) => {
    const name = `${row.channels.map((channel) => shortName(found, channel)).join(" and ")}: ${sheet.columns[column]?.name}`;
    return el("td", {}, createCell(found.layer, sheet, cell, number, column, name));
  });
  return el("tr", {}, header, ...cells);
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
  const image = el("img", {
    src: sheetFile(layer, sheet, row),
    alt: name,
    loading: "lazy",
    decoding: "async",
  });
  Object.assign(image.style, { width: `${100 * columns.length}%`, left: `${-100 * column}%` });
  return el(
    "figure",
    {},
    el("span", { class: "picture part" }, image),
    el("figcaption", {}, ...describe(cell).map((line) => el("span", {}, line))),
  );
}

/** Activation, fidelity and what the judge says of a picture, a line each. */
function describe({ activation, fidelity, recognized }: SheetCell): string[] {
  const lines = [activation.map((value) => `${value.toFixed(1)} ×`).join(" and ")];
  if (fidelity !== null) lines.push(`fidelity ${decimal(fidelity)}`);
  if (recognized !== null)
    lines.push(recognized > 0.5 ? "recognized" : recognized > 0 ? "recognized in part" : "not recognized");
  return lines;
}

/** Medians of each column, in the foot of the table. */
function createSummary({ name, rows, columns }: ComparisonSheet): HTMLElement | null {
  if (name === "interpolation" || rows.length < 2) return null;
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
    name === "interpolation"
      ? "Below each image: the activation of both units, as multiples of their highest ones in the images."
      : `Below each image: the activation that it reaches, as a multiple of the highest in the images; fidelity, the cosine between its mean activation and that of the unit’s strongest patches, both minus the layer’s mean${judged ? "; and whether another network finds the unit’s own patches most alike among the units of the sheet" : ""}. Activations are measured under random transforms, which an image without any prior may not survive. A high activation alone says little. Inactive units pass gradient during the first steps, in all columns.`;
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
