// Table of all groups: targeted and untargeted rate.

import { createSvg, el } from "../ui/dom";
import {
  type Curve,
  type Estimate,
  formatInterval,
  formatPoints,
  formatShare,
  GROUP_NAMES,
  type Group,
  type PatchContext,
  type Tested,
} from "./result";

export function createRateTable(context: PatchContext<Tested>): HTMLElement {
  const { source, target, direction } = context;
  const heads: readonly (readonly [string, string])[] = [
    [`predicted as ${target}`, "static"],
    [`predicted as ${target}`, "dynamic, oracle"],
    [`no longer ${source}`, "static"],
    [`softmax of ${target}`, `static; before: ${formatShare(direction.before.target)}`],
    [`difference to the atlas`, `predicted as ${target}, static, points`],
  ];
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Patches")),
    ...heads.map(([title, way]) => el("th", { scope: "col" }, title, el("span", { class: "mode" }, way))),
  );
  const rows = direction.groups.map((group) => createRow(context, group, heads));
  return el("table", { class: "rates" }, el("thead", {}, head), el("tbody", {}, ...rows));
}

function createRow(
  { direction }: PatchContext<Tested>,
  group: Group,
  heads: readonly (readonly [string, string])[],
): HTMLElement {
  const values = [
    group.static.targeted,
    group.dynamic.targeted,
    group.static.untargeted,
    group.static.target,
  ];
  const { name, what } = GROUP_NAMES[group.name];
  const cells = values.map((value, index) => createCell(value, (heads[index] ?? []).join(", ")));
  const difference = group.name === "atlas" ? null : direction.differences[group.name].static;
  const last = difference ? createDifference(difference, (heads.at(-1) ?? []).join(", ")) : el("td", {});
  return el(
    "tr",
    { class: group.name },
    el("th", { scope: "row" }, name, el("span", {}, what)),
    ...cells,
    last,
  );
}

/** Difference between the rate of the atlas and that of a control. */
function createDifference(difference: Estimate, label: string): HTMLElement {
  const value = el("span", { class: "value" }, formatPoints(difference.value));
  return el(
    "td",
    { "data-label": label, class: "difference" },
    value,
    el("span", { class: "interval-text" }, formatInterval(difference)),
  );
}

function createCell(value: Estimate, label: string): HTMLElement {
  return el(
    "td",
    { "data-label": label },
    el("span", { class: "value" }, formatShare(value.value)),
    createIntervalBar(value),
    el("span", { class: "interval-text" }, formatInterval(value)),
  );
}

/** Interval as a bar from 0 to 100 %, mean as a dot. */
function createIntervalBar({ value, low, high }: Estimate): SVGSVGElement {
  const toX = (share: number): number => 4 + 112 * share;
  return createSvg(
    "svg",
    { class: "interval", viewBox: "0 0 120 12", "aria-hidden": "true" },
    createSvg("line", { class: "track", x1: 4, x2: 116, y1: 6, y2: 6 }),
    createSvg("line", { class: "span", x1: toX(low), x2: toX(high), y1: 6, y2: 6 }),
    createSvg("circle", { cx: toX(value), cy: 6, r: 4 }),
  );
}

// Softmax against patch size.

// the atlas's plot is larger
const LARGE = { width: 520, height: 396 };
const SMALL = { width: 260, height: 172 };
const EDGE = { left: 34, right: 10, top: 12, bottom: 26 };
const LINES = ["source", "own", "target"] as const;

type Point = readonly [size: number, softmax: number];

/** One plot per group, on the same axes. */
export function createCurves(context: PatchContext<Tested>): HTMLElement {
  const plots = context.direction.groups.map((group) => createPlot(context, group));
  return el("div", { class: "plots" }, ...plots);
}

export function createLegend({ source, target }: PatchContext<Tested>): HTMLElement {
  const entry = (line: string, text: string): HTMLElement =>
    el("li", {}, el("span", { class: `stroke ${line}`, "aria-hidden": "true" }), text);
  return el(
    "ul",
    { class: "legend" },
    entry("target", target),
    entry("source", source),
    entry("own", "class of the image that the patch was cropped from"),
  );
}

function createPlot(context: PatchContext<Tested>, group: Group): HTMLElement {
  const { name } = GROUP_NAMES[group.name];
  const { width, height } = group.name === "atlas" ? LARGE : SMALL;
  const right = Math.max(...context.test.curve);
  const x = (size: number): number => EDGE.left + (size / right) * (width - EDGE.left - EDGE.right);
  const y = (value: number): number => EDGE.top + (1 - value) * (height - EDGE.top - EDGE.bottom);
  const chart = createSvg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": describePlot(context, group),
  });
  for (const value of [0, 0.5, 1]) {
    chart.append(createSvg("line", { class: "rule", x1: x(0), x2: x(right), y1: y(value), y2: y(value) }));
    chart.append(
      createSvg("text", { class: "tick side", x: x(0) - 6, y: y(value) + 3.5 }, String(100 * value)),
    );
  }
  for (const size of context.test.curve) {
    const text = String(Math.round(100 * size));
    chart.append(createSvg("text", { class: "tick foot", x: x(size), y: height - 8 }, text));
  }
  for (const line of LINES) {
    const found = curvePoints(context, group.curve, line);
    const at = found.map(([size, value]) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    chart.append(createSvg("polyline", { class: `curve ${line}`, points: at }));
    for (const [size, value] of found) {
      const dot = createSvg("circle", { class: `dot ${line}`, cx: x(size), cy: y(value), r: 2.6 });
      dot.append(createSvg("title", {}, `${Math.round(100 * size)} % of the side: ${formatShare(value)}`));
      chart.append(dot);
    }
  }
  return el("figure", { class: `plot ${group.name}` }, el("figcaption", {}, name), chart);
}

/** Known points of a line; without a patch, both classes have a softmax, too. */
function curvePoints(
  { test, direction }: PatchContext<Tested>,
  curve: Curve,
  line: (typeof LINES)[number],
): Point[] {
  const start: Point[] = line === "own" ? [] : [[0, direction.before[line]]];
  return [
    ...start,
    ...test.curve.flatMap((size, index): Point[] => {
      const value = curve[line][index];
      return value === null || value === undefined ? [] : [[size, value]];
    }),
  ];
}

function describePlot({ test, target, source }: PatchContext<Tested>, group: Group): string {
  const at = test.curve.map((size, index) => {
    const [one, other] = [group.curve.target[index] ?? 0, group.curve.source[index] ?? 0];
    return `at ${Math.round(100 * size)} % ${target} ${formatShare(one)}, ${source} ${formatShare(other)}`;
  });
  return `${GROUP_NAMES[group.name].name}, softmax against patch size: ${at.join("; ")}`;
}
