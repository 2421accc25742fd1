// Scatter plot of attribution against true change, one point per sample's top class.

import { signed } from "../data/format";
import { createSvg, el } from "../ui/dom";
import { type AblationTest, BASELINE_NAMES } from "./result";

const WIDTH = 360;
const HEIGHT = 250;
const LEFT = 54;
const BOTTOM = 36;
const EDGE = 18;

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** The points with axes and the line of equality. */
export function createScatterPlot(points: AblationTest["points"], names: readonly string[]): SVGSVGElement {
  const x = createScale(
    points.map(([, attribution]) => attribution),
    LEFT,
    WIDTH - EDGE,
  );
  const y = createScale(
    points.map(([, , change]) => change),
    HEIGHT - BOTTOM,
    EDGE,
  );
  const chart = createSvg("svg", {
    class: "scatter",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `${points.length} samples: attribution of the top class against its true change`,
  });
  chart.append(...createAxes(x, y), ...createDiagonal(x, y));
  for (const [id, attribution, change] of points) {
    const title = `${names[id] ?? `class ${id}`}: attribution ${signed(attribution)}, true change ${signed(change)}`;
    chart.append(
      createSvg(
        "circle",
        { class: "point", cx: x.at(attribution).toFixed(1), cy: y.at(change).toFixed(1), r: 3 },
        createSvg("title", {}, title),
      ),
    );
  }
  return chart;
}

/** The scatter plot with its caption. */
export function createScatterFigure(test: AblationTest, names: readonly string[]): HTMLElement {
  const caption = el(
    "figcaption",
    {},
    el("h4", {}, "The top class of each sample"),
    el(
      "p",
      { class: "secondary" },
      `Its attribution against the drop of its logit when the activation is replaced by ${BASELINE_NAMES[test.estimated]}. ` +
        "On the line, both are equal.",
    ),
  );
  return el("figure", { class: "scatter-plot" }, caption, createScatterPlot(test.points, names));
}

function createAxes(x: Scale, y: Scale): SVGElement[] {
  const elements: SVGElement[] = [];
  for (const tick of x.ticks) {
    elements.push(
      createSvg("line", {
        class: "grid-line",
        x1: x.at(tick),
        x2: x.at(tick),
        y1: EDGE,
        y2: HEIGHT - BOTTOM,
      }),
    );
    elements.push(
      createSvg(
        "text",
        { x: x.at(tick), y: HEIGHT - BOTTOM + 15, "text-anchor": "middle" },
        formatTick(tick),
      ),
    );
  }
  for (const tick of y.ticks) {
    elements.push(
      createSvg("line", { class: "grid-line", x1: LEFT, x2: WIDTH - EDGE, y1: y.at(tick), y2: y.at(tick) }),
    );
    elements.push(
      createSvg("text", { x: LEFT - 7, y: y.at(tick) + 4, "text-anchor": "end" }, formatTick(tick)),
    );
  }
  const middle = (EDGE + HEIGHT - BOTTOM) / 2;
  const rotated = { x: 10, y: middle, "text-anchor": "middle", transform: `rotate(-90 10 ${middle})` };
  elements.push(
    createSvg(
      "text",
      { x: (LEFT + WIDTH - EDGE) / 2, y: HEIGHT - 4, "text-anchor": "middle" },
      "attribution, logits",
    ),
  );
  elements.push(createSvg("text", rotated, "true drop, logits"));
  return elements;
}

function createDiagonal(x: Scale, y: Scale): SVGElement[] {
  const low = Math.max(x.low, y.low);
  const high = Math.min(x.high, y.high);
  if (low >= high) return [];
  return [
    createSvg("line", { class: "equal", x1: x.at(low), y1: y.at(low), x2: x.at(high), y2: y.at(high) }),
  ];
}

function createScale(values: readonly number[], from: number, to: number): Scale {
  const step = niceStep(Math.max(...values, 0) - Math.min(...values, 0) || 1);
  const low = Math.floor(Math.min(...values, 0) / step) * step;
  const high = Math.max(Math.ceil(Math.max(...values, 0) / step) * step, low + step);
  const count = Math.round((high - low) / step);
  return {
    low,
    high,
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, index) => low + index * step),
  };
}

/** Round step that divides a range into about four. */
function niceStep(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 4));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= range / 5) ?? 10);
}

function formatTick(value: number): string {
  return `${Number(value.toPrecision(3))}`.replace("-", "−");
}
