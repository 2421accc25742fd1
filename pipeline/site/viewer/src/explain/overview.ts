// All heat maps of a layer: images in rows, methods in columns, verdicts in the foot.

import { activation, percent } from "../data/format";
import { el } from "../ui/dom";
import { createStripPart } from "../ui/strip";
import { columnName, methodName } from "./methods";
import {
  CONTROL_NAMES,
  CONTROLS,
  type Column,
  type CurveKind,
  describeScore,
  type Explanations,
  explainFile,
  type Row,
  rowName,
  toHash,
} from "./result";
import { createInterval, createWord, judgeCurve, judgeGrid } from "./verdict";

/** The table, in a region that scrolls. */
export function createOverview(found: Explanations): HTMLElement {
  const first = found.of_classes ? "Image and class" : "Image and unit";
  const head = el(
    "tr",
    {},
    el("th", { scope: "col", class: "corner" }, first),
    ...found.columns.map((column) => el("th", { scope: "col" }, ...createHead(column))),
  );
  const rows = found.rows.map((row, index) => createRow(found, row, index));
  const table = el(
    "table",
    { class: "comparison heatmaps" },
    el("caption", { class: "visually-hidden" }, "Heat maps: images in rows, methods in columns"),
    el("thead", {}, head),
    el("tbody", {}, ...rows),
    el("tfoot", {}, ...createFoot(found)),
  );
  const attributes = { class: "table whole", tabindex: 0, role: "region", "aria-label": "Heat maps" };
  return el("div", attributes, table);
}

function createHead(column: Column): (HTMLElement | null)[] {
  const { method, layer, grid } = column;
  return [
    el("span", { class: "method" }, methodName(method)),
    layer ? el("span", { class: "secondary" }, ...createLayerName(layer)) : null,
    el("span", { class: "secondary" }, `${grid[0]} × ${grid[1]}`),
    createColorScale(column),
  ];
}

/** A layer’s name that may break behind its dots. */
export function createLayerName(layer: string): (HTMLElement | string)[] {
  return layer.split(/(?<=\.)/).flatMap((part, index) => (index ? [el("wbr"), part] : [part]));
}

/** The colors of a column, with the values at their ends. */
export function createColorScale({ scale, signed }: Column): HTMLElement {
  const end = formatScale(scale);
  return el(
    "span",
    { class: "color-scale" },
    el("span", { class: signed ? "bar signed" : "bar", "aria-hidden": "true" }),
    el(
      "span",
      { class: "ends" },
      el("span", { class: "visually-hidden" }, "Color scale from "),
      el("span", {}, signed && scale ? `−${end}` : "0"),
      el("span", { class: "visually-hidden" }, " to "),
      el("span", {}, end),
    ),
  );
}

/** Two significant digits; powers of ten for values that are far from 1. */
function formatScale(value: number): string {
  if (value >= 100) return activation(value);
  const [digits, power] = value.toExponential(1).split("e") as [string, string];
  if (Number(power) < -4) return `${digits}e−${power.slice(1)}`;
  return `${Number(value.toPrecision(2))}`;
}

function createRow(found: Explanations, row: Row, index: number): HTMLElement {
  const href = toHash({ layer: found.layer, row: index });
  const picture = found.photographs ? createPhotograph(found, row) : null;
  const link = el(
    "a",
    { href, title: row.key },
    picture,
    el("span", { class: "name" }, rowName(row)),
    el("span", { class: "secondary" }, describeScore(row)),
    found.photographs ? null : el("span", { class: "secondary" }, row.key),
  );
  const label = row.label !== null && row.name !== null && row.label !== row.name;
  const header = el(
    "th",
    { scope: "row" },
    link,
    label ? el("span", { class: "secondary" }, `labeled ${row.label}`) : null,
  );
  const cells = found.columns.map((_, column) => el("td", {}, createHeatmap(found, row, column)));
  return el("tr", {}, header, ...cells);
}

/** The photograph of a row, from its strip. */
export function createPhotograph(found: Explanations, row: Row): HTMLElement {
  const src = explainFile(found.layer, "rows", row.strip);
  return createStripPart(src, row.key, 0, 0, found.columns.length + 1, 1);
}

/** The heat map of a row by the method of a column, from the row’s strip; in words where it is constant. */
export function createHeatmap(found: Explanations, row: Row, column: number): HTMLElement {
  const { layer, columns, photographs } = found;
  const method = columns[column];
  if (row.cells[column]?.constant) return el("span", { class: "picture missing" }, "the same everywhere");
  const before = photographs ? 1 : 0;
  const src = explainFile(layer, "rows", row.strip);
  const alt = `${method ? columnName(method) : ""}: ${rowName(row)}`;
  return createStripPart(src, alt, column + before, 0, columns.length + before, 1);
}

// Verdicts of the methods.

interface FootRow {
  readonly name: string;
  readonly detail?: string;
  /** Whether it continues the row above. */
  readonly inner?: true;
  cell(column: Column): HTMLElement;
}

function createFoot(found: Explanations): HTMLElement[] {
  return footRows(found).map(({ name, detail, inner, cell }) =>
    el(
      "tr",
      { class: inner ? "inner" : "outer" },
      el("th", { scope: "row" }, name, detail ? el("span", { class: "secondary" }, detail) : null),
      ...found.columns.map((column) => el("td", {}, cell(column))),
    ),
  );
}

function footRows(found: Explanations): FootRow[] {
  const { columns, rows } = found;
  const randomized = columns.some(({ verdict }) => verdict.randomization?.length);
  const pointed = columns.some(({ verdict }) => verdict.grid_pointing);
  return [
    ...curveRows("deletion", "Deletion", "area; lower is better"),
    ...curveRows("insertion", "Insertion", "area; higher is better"),
    ...(pointed ? gridRows() : []),
    ...(randomized ? randomizationRows() : []),
    ...(columns.some(({ constant }) => constant > 0)
      ? [
          {
            name: "The same everywhere",
            cell: ({ constant }: Column) =>
              el("span", {}, constant ? `${constant} of ${rows.length} heat maps` : "none"),
          },
        ]
      : []),
  ];
}

function curveRows(kind: CurveKind, name: string, detail: string): FootRow[] {
  return [
    { name, detail, cell: ({ verdict }) => createInterval(verdict[kind]) },
    ...CONTROLS.map(
      (control): FootRow => ({
        name: `against a ${CONTROL_NAMES[control]}`,
        inner: true,
        cell: (column) => createWord(judgeCurve(column, kind, control)),
      }),
    ),
  ];
}

function gridRows(): FootRow[] {
  return [
    {
      name: "Grid pointing",
      detail: "share of the map in the right image",
      cell: ({ verdict }) => createInterval(verdict.grid_pointing, percent),
    },
    {
      name: "against chance, 25\u00a0%",
      inner: true,
      cell: ({ verdict }) => createWord(judgeGrid(verdict.grid_pointing)),
    },
  ];
}

function randomizationRows(): FootRow[] {
  const cell =
    (position: number) =>
    ({ verdict }: Column): HTMLElement =>
      createInterval(verdict.randomization?.at(position));
  return [
    { name: "Similarity with random weights", detail: "of the last layer", cell: cell(0) },
    { name: "of all layers", inner: true, cell: cell(-1) },
  ];
}
