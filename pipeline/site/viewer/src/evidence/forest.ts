// Forest plot: estimates with confidence intervals on one axis.

import { createSvg, el } from "../ui/dom";
import { type Estimate, formatNumber } from "./result";

export interface Dot {
  readonly value: number;
  readonly url: string;
  readonly title: string;
}

export interface Row {
  readonly name: string;
  readonly estimate: Estimate;
  /** Value of the shuffled control, drawn as a ring. */
  readonly control?: Estimate;
  /** Fainter marks behind the estimate. */
  readonly dots?: readonly Dot[];
  readonly plain?: boolean;
  /** Chance level, if it differs from that of the axis. */
  readonly chance?: number;
}

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly chance: number;
  readonly best?: number;
  /** Text of the values; two decimals by default. */
  readonly format?: (value: number | null) => string;
}

const HEIGHT = 40;
const MARGIN = 3; // percent, so that marks at the ends are not clipped

/** Titled group of rows with the axis below. */
export function createForestPlot(
  title: string,
  question: string,
  rows: readonly Row[],
  axis: Axis,
): HTMLElement {
  const lines = rows.map((row) =>
    el(
      "div",
      { class: row.plain ? "row plain" : "row" },
      el("span", { class: "name" }, row.name),
      createTrack(row, axis),
      createValue(row.estimate, axis.format),
    ),
  );
  const scale = el(
    "div",
    { class: "row scale", "aria-hidden": "true" },
    el("span"),
    createTicks(axis),
    el("span"),
  );
  const heading = el("figcaption", {}, el("h4", {}, title), el("p", { class: "secondary" }, question));
  return el("figure", { class: "forest" }, heading, ...lines, scale);
}

/** Estimate with its interval below, formatted with `format`. */
export function createValue({ value, low, high }: Estimate, format = formatNumber): HTMLElement {
  const known = value !== null && low !== null && high !== null;
  const interval = known ? el("small", {}, `${format(low)} to ${format(high)}`) : null;
  return el("span", { class: "value" }, value === null ? "–" : format(value), interval);
}

function createTrack({ estimate, control, dots, chance }: Row, axis: Axis): SVGSVGElement {
  const at = positionOnAxis(axis);
  const middle = HEIGHT / 2;
  const chart = createSvg("svg", { class: "track", width: "100%", height: HEIGHT, "aria-hidden": "true" });
  chart.append(
    createSvg("line", { class: "axis-line", x1: at(axis.low), x2: at(axis.high), y1: middle, y2: middle }),
  );
  const random = at(chance ?? axis.chance);
  chart.append(createSvg("line", { class: "chance", x1: random, x2: random, y1: 0, y2: HEIGHT }));
  if (axis.best !== undefined) {
    chart.append(
      createSvg("line", { class: "best", x1: at(axis.best), x2: at(axis.best), y1: 0, y2: HEIGHT }),
    );
  }
  for (const [order, dot] of (dots ?? []).entries()) chart.append(createLinkedDot(dot, at, order));
  if (control) chart.append(...createMarks(control, "control", at, middle, 3));
  chart.append(...createMarks(estimate, "estimate", at, middle, 3.5));
  return chart;
}

function createMarks(
  { value, low, high }: Estimate,
  kind: string,
  at: (value: number) => string,
  y: number,
  r: number,
): SVGElement[] {
  if (value === null) return [];
  const dot = createSvg("circle", { class: kind, cx: at(value), cy: y, r });
  if (low === null || high === null) return [dot];
  return [createSvg("line", { class: `${kind} interval`, x1: at(low), x2: at(high), y1: y, y2: y }), dot];
}

function createLinkedDot(
  { value, url, title }: Dot,
  at: (value: number) => string,
  order: number,
): SVGElement {
  // vertical jitter, so that equal values can be distinguished
  const y = HEIGHT / 2 + (((order * 7) % 11) - 5) * 2;
  const dot = createSvg(
    "circle",
    { class: "cell", cx: at(value), cy: y, r: 3 },
    createSvg("title", {}, title),
  );
  return createSvg("a", { href: url, tabindex: -1 }, dot);
}

function createTicks(axis: Axis): SVGSVGElement {
  const at = positionOnAxis(axis);
  const chart = createSvg("svg", { class: "track", width: "100%", height: 16 });
  for (const tick of axis.ticks) {
    chart.append(
      createSvg(
        "text",
        { x: at(tick), y: 12, "text-anchor": "middle" },
        axis.format?.(tick) ?? formatNumber(tick).replace(/\.?0+$/, ""),
      ),
    );
  }
  return chart;
}

function positionOnAxis({ low, high }: Axis): (value: number) => string {
  return (value) => {
    const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
    return `${(MARGIN + (100 - 2 * MARGIN) * share).toFixed(2)}%`;
  };
}
