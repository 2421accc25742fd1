// Small line charts. The drawing is stretched to its place; the texts at the axes are not, so that they keep their size.

import { createSvg, el } from "../ui/dom";

export type Point = readonly [x: number, y: number];

export interface Line {
  /** Its class in the style sheet. */
  readonly kind: string;
  readonly name: string;
  readonly points: readonly Point[];
  /** Intervals around the points: x, low and high. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
}

export interface Axes {
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [low: number, high: number];
  /** Texts at the ends of the horizontal axis. */
  readonly ends: readonly [string, string];
  readonly format: (value: number) => string;
  /** Position of an upright line. */
  readonly upright?: number;
}

/** Values at equal steps from 0 to `end`, without unknown ones. */
export function toPoints(values: readonly (number | null)[], end: number): Point[] {
  const step = end / Math.max(values.length - 1, 1);
  return values.flatMap((value, index): Point[] => (value === null ? [] : [[index * step, value]]));
}

const SIZE = 100; // units of the drawing in both directions

/** The chart; its description has the values of every line at up to five places. */
export function createLineChart(title: string, lines: readonly Line[], axes: Axes): HTMLElement {
  const [low, high] = axes.y;
  const x = (value: number): string => scale(value, axes.x).toFixed(2);
  const y = (value: number): string => (SIZE - scale(value, axes.y)).toFixed(2);
  const rules = [low, (low + high) / 2, high].map((value) =>
    createSvg("line", { class: "rule", x1: 0, x2: SIZE, y1: y(value), y2: y(value) }),
  );
  const zero = low < 0 ? [createSvg("line", { class: "zero", x1: 0, x2: SIZE, y1: y(0), y2: y(0) })] : [];
  const upright =
    axes.upright === undefined
      ? []
      : [createSvg("line", { class: "upright", x1: x(axes.upright), x2: x(axes.upright), y1: 0, y2: SIZE })];
  const join = (points: readonly Point[]): string =>
    points.map(([at, value]) => `${x(at)},${y(value)}`).join(" ");
  const bands = lines.flatMap(({ kind, band }) => {
    if (!band?.length) return [];
    const upper = band.map(([at, , top]): Point => [at, top]);
    const lower = band.map(([at, bottom]): Point => [at, bottom]).reverse();
    return [createSvg("polygon", { class: `band ${kind}`, points: join([...upper, ...lower]) })];
  });
  const curves = lines.map(({ kind, points }) =>
    createSvg("polyline", { class: `curve ${kind}`, points: join(points) }),
  );
  const drawing = createSvg(
    "svg",
    {
      viewBox: `0 0 ${SIZE} ${SIZE}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": describeChart(title, lines, axes),
    },
    ...rules,
    ...zero,
    ...upright,
    ...bands,
    ...curves,
  );
  const [from, to] = axes.ends;
  return el(
    "div",
    { class: "chart" },
    el(
      "div",
      { class: "side", "aria-hidden": "true" },
      el("span", {}, axes.format(high)),
      el("span", {}, axes.format(low)),
    ),
    drawing,
    el("div", { class: "foot", "aria-hidden": "true" }, el("span", {}, from), el("span", {}, to)),
  );
}

/** Place of a value within a range, in units of the drawing. */
function scale(value: number, [from, to]: readonly [number, number]): number {
  return (SIZE * (Math.min(Math.max(value, from), to) - from)) / (to - from || 1);
}

function describeChart(title: string, lines: readonly Line[], { ends, format }: Axes): string {
  const values = lines.map(({ name, points }) => {
    const places = Math.min(points.length, 5);
    const chosen = Array.from(
      { length: places },
      (_, index) => points[Math.round((index / Math.max(places - 1, 1)) * (points.length - 1))],
    );
    return `${name} ${chosen.map((point) => format(point?.[1] ?? Number.NaN)).join(", ")}`;
  });
  return `${title}, from ${ends[0]} to ${ends[1]}: ${values.join("; ")}`;
}

/** What the lines stand for. */
export function createLegend(lines: readonly (readonly [kind: string, text: string])[]): HTMLElement {
  const entries = lines.map(([kind, text]) => {
    const stroke = createSvg("line", { class: `curve ${kind}`, x1: 0, x2: 26, y1: 4, y2: 4 });
    const sample = createSvg(
      "svg",
      { viewBox: "0 0 26 8", width: 26, height: 8, "aria-hidden": "true" },
      stroke,
    );
    return el("li", {}, sample, text);
  });
  return el("ul", { class: "legend" }, ...entries);
}
