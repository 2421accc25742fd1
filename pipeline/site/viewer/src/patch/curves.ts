// Softmax against the size of the patch.

import { el } from "../dom";
import { svg } from "../svg";
import type { Curve, Group, Tested } from "./content";
import { GROUPS, type Scene, share } from "./words";

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
