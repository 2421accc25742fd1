// The table of all groups: how often a picture becomes the other class, and how often it leaves its own.

import { el, svg } from "../ui/dom";
import {
  type Curve,
  type Estimate,
  GROUPS,
  type Group,
  interval,
  points,
  type Scene,
  share,
  type Tested,
} from "./result";

export function rateTable(scene: Scene<Tested>): HTMLElement {
  const { source, target, direction } = scene;
  const heads: readonly (readonly [string, string])[] = [
    [`becomes ${target}`, "static"],
    [`becomes ${target}`, "dynamic, an oracle"],
    [`leaves ${source}`, "static"],
    [`softmax of ${target}`, `static; before: ${share(direction.before.target)}`],
    [`the atlas’s lead`, `becomes ${target}, static, points`],
  ];
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, el("span", { class: "unseen" }, "Patches")),
    ...heads.map(([title, way]) => el("th", { scope: "col" }, title, el("span", { class: "way" }, way))),
  );
  const rows = direction.groups.map((group) => row(scene, group, heads));
  return el("table", { class: "rates" }, el("thead", {}, head), el("tbody", {}, ...rows));
}

function row(
  { direction }: Scene<Tested>,
  group: Group,
  heads: readonly (readonly [string, string])[],
): HTMLElement {
  const values = [group.static.becomes, group.dynamic.becomes, group.static.leaves, group.static.target];
  const { name, what } = GROUPS[group.name];
  const cells = values.map((value, index) => cell(value, (heads[index] ?? []).join(", ")));
  const ahead = group.name === "atlas" ? null : direction.added[group.name].static;
  const last = ahead ? lead(ahead, (heads.at(-1) ?? []).join(", ")) : el("td", {});
  return el(
    "tr",
    { class: group.name },
    el("th", { scope: "row" }, name, el("span", {}, what)),
    ...cells,
    last,
  );
}

/** How far the atlas's rate lies above a control's. */
function lead(added: Estimate, label: string): HTMLElement {
  const value = el("span", { class: "value" }, points(added.value));
  return el(
    "td",
    { "data-label": label, class: "lead-over" },
    value,
    el("span", { class: "between" }, interval(added)),
  );
}

function cell(value: Estimate, label: string): HTMLElement {
  return el(
    "td",
    { "data-label": label },
    el("span", { class: "value" }, share(value.value)),
    bar(value),
    el("span", { class: "between" }, interval(value)),
  );
}

/** The interval as a bar from 0 to 100 %, the mean as a dot. */
function bar({ value, low, high }: Estimate): SVGSVGElement {
  const place = (at: number): number => 4 + 112 * at;
  return svg(
    "svg",
    { class: "interval", viewBox: "0 0 120 12", "aria-hidden": "true" },
    svg("line", { class: "track", x1: 4, x2: 116, y1: 6, y2: 6 }),
    svg("line", { class: "span", x1: place(low), x2: place(high), y1: 6, y2: 6 }),
    svg("circle", { cx: place(value), cy: 6, r: 4 }),
  );
}

// Softmax against the size of the patch.

// the atlas's own plot is the large one
const LARGE = { width: 520, height: 396 };
const SMALL = { width: 260, height: 172 };
const EDGE = { left: 34, right: 10, top: 12, bottom: 26 };
const LINES = ["source", "own", "target"] as const;

type Point = readonly [size: number, softmax: number];

/** One plot for each group, on the same axes. */
export function curves(scene: Scene<Tested>): HTMLElement {
  const plots = scene.direction.groups.map((group) => plot(scene, group));
  return el("div", { class: "plots" }, ...plots);
}

export function legend({ source, target }: Scene<Tested>): HTMLElement {
  const entry = (line: string, text: string): HTMLElement =>
    el("li", {}, el("span", { class: `stroke ${line}`, "aria-hidden": "true" }), text);
  return el(
    "ul",
    { class: "legend" },
    entry("target", target),
    entry("source", source),
    entry("own", "the class of the image the patch was cut from"),
  );
}

function plot(scene: Scene<Tested>, group: Group): HTMLElement {
  const { name } = GROUPS[group.name];
  const { width, height } = group.name === "atlas" ? LARGE : SMALL;
  const right = Math.max(...scene.test.curve);
  const x = (size: number): number => EDGE.left + (size / right) * (width - EDGE.left - EDGE.right);
  const y = (value: number): number => EDGE.top + (1 - value) * (height - EDGE.top - EDGE.bottom);
  const chart = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": told(scene, group),
  });
  for (const value of [0, 0.5, 1]) {
    chart.append(svg("line", { class: "rule", x1: x(0), x2: x(right), y1: y(value), y2: y(value) }));
    chart.append(svg("text", { class: "tick side", x: x(0) - 6, y: y(value) + 3.5 }, String(100 * value)));
  }
  for (const size of scene.test.curve) {
    const text = String(Math.round(100 * size));
    chart.append(svg("text", { class: "tick foot", x: x(size), y: height - 8 }, text));
  }
  for (const line of LINES) {
    const found = placed(scene, group.curve, line);
    const at = found.map(([size, value]) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    chart.append(svg("polyline", { class: `curve ${line}`, points: at }));
    for (const [size, value] of found) {
      const dot = svg("circle", { class: `dot ${line}`, cx: x(size), cy: y(value), r: 2.6 });
      dot.append(svg("title", {}, `${Math.round(100 * size)} % of the side: ${share(value)}`));
      chart.append(dot);
    }
  }
  return el("figure", { class: `plot ${group.name}` }, el("figcaption", {}, name), chart);
}

/** The known points of a line; before any patch both classes have a softmax, too. */
function placed({ test, direction }: Scene<Tested>, curve: Curve, line: (typeof LINES)[number]): Point[] {
  const start: Point[] = line === "own" ? [] : [[0, direction.before[line]]];
  return [
    ...start,
    ...test.curve.flatMap((size, index): Point[] => {
      const value = curve[line][index];
      return value === null || value === undefined ? [] : [[size, value]];
    }),
  ];
}

function told({ test, target, source }: Scene<Tested>, group: Group): string {
  const at = test.curve.map((size, index) => {
    const [one, other] = [group.curve.target[index] ?? 0, group.curve.source[index] ?? 0];
    return `at ${Math.round(100 * size)} % ${target} ${share(one)}, ${source} ${share(other)}`;
  });
  return `${GROUPS[group.name].name}, softmax against patch size: ${at.join("; ")}`;
}
