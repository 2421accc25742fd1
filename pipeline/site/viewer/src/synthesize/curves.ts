// Charts of what was measured over layers or other ordered items.

import { significant } from "../data/format";
import { el } from "../ui/dom";
import { createLegend, createLineChart, type Line, toPoints } from "../ui/line-chart";
import type { Curve } from "./result";

const KINDS = 6; // colors of the style sheet

/** The charts side by side; null where there are none. */
export function createCurves(curves: readonly Curve[]): HTMLElement | null {
  if (!curves.length) return null;
  return el("div", { class: "curves" }, ...curves.map(createCurve));
}

function createCurve(curve: Curve): HTMLElement {
  const { name, text, x, y, items, lines } = curve;
  const kinds = lines.map((_, index) => `series-${(index % KINDS) + 1}`);
  const legend = lines.map((line, index) => [kinds[index] ?? "", line.name] as const);
  const many = items.length > 1; // else there is no line
  return el(
    "figure",
    {},
    el("div", {}, el("h3", {}, name), el("p", { class: "about" }, text)),
    lines.length > 1 && many ? createLegend(legend) : el("div"),
    el("p", { class: "secondary axis-name" }, many ? y : ""),
    many ? createChart(curve, kinds) : el("div"),
    el("p", { class: "secondary axis-name across" }, many ? x : ""),
    createTable(curve),
  );
}

function createChart({ name, items, lines }: Curve, kinds: readonly string[]): HTMLElement {
  const end = Math.max(items.length - 1, 1);
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const drawn = lines.map(
    (line, index): Line => ({
      kind: kinds[index] ?? "",
      name: line.name,
      points: toPoints(line.values, end),
    }),
  );
  return createLineChart(name, drawn, {
    x: [0, end],
    y: [-roundUp(-Math.min(0, ...values)), roundUp(Math.max(0, ...values))],
    ends: [items[0] ?? "", items.at(-1) ?? ""],
    format: significant,
  });
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten. */
function roundUp(value: number): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((one) => value <= one * power * (1 + 1e-9)) ?? 10;
  return Number((step * power).toPrecision(3));
}

function createTable({ name, x, items, lines }: Curve): HTMLElement {
  const rows = items.map((item, index) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, item),
      ...lines.map(({ values }) => el("td", {}, significant(values[index] ?? Number.NaN))),
    ),
  );
  const table = el(
    "table",
    {},
    el("caption", { class: "visually-hidden" }, name),
    el("thead", {}, el("tr", {}, ...[x, ...lines.map((line) => line.name)].map(createHead))),
    el("tbody", {}, ...rows),
  );
  const attributes = { class: "table", tabindex: 0, role: "region", "aria-label": `Values of ${name}` };
  return el(
    "details",
    { open: items.length < 2 },
    el("summary", {}, "Values as a table"),
    el("div", attributes, table),
  );
}

function createHead(name: string): HTMLElement {
  return el("th", { scope: "col" }, name);
}
