// How the methods are tested: curves, randomization and pointing, with what each means.

import { count, decimal, percent } from "../data/format";
import { el } from "../ui/dom";
import { type Axes, createLegend, createLineChart, type Line, type Point, toPoints } from "../ui/line-chart";
import { columnName, methodName } from "./methods";
import {
  CONTROL_NAMES,
  CONTROLS,
  type Column,
  type Control,
  type CurveKind,
  type Explanations,
  type Measured,
  type Values,
} from "./result";
import { createInterval, createWord, judgeCurve, judgeGrid } from "./verdict";

/** The whole section. */
export function createTests(found: Explanations): HTMLElement {
  return el(
    "section",
    { class: "tests-of-methods" },
    el("h2", {}, "How the methods are tested"),
    el(
      "p",
      { class: "summary" },
      "A heat map always shows something, and looks convincing where it outlines an object. These tests ask whether it shows what the network uses. Intervals hold 95 % and are over the images; a verdict is “no better” where the interval of the difference contains 0.",
    ),
    ...createCurveTests(found),
    ...createRandomization(found),
    ...createPointing(found),
    createCurveTable(found),
  );
}

// Deletion and insertion.

const CURVES: readonly CurveKind[] = ["deletion", "insertion"];

function createCurveTests(found: Explanations): HTMLElement[] {
  const what = found.of_classes ? "the probability of the class" : "the activation of the unit";
  const fill = { gray: "gray", mean: "the mean color", blur: "a blurred copy of the image" }[
    found.settings.fill
  ];
  const texts: Readonly<Record<CurveKind, readonly [string, string]>> = {
    deletion: [
      "Deletion",
      `Pixels are replaced by ${fill}, in the order of the heat map, its highest values first. If the map marks what the network uses, ${what} falls at once: the smaller the area under the curve, the better. Deletion favors maps of scattered pixels, which make an input that is unlike any photograph: the score may then fall for that reason alone.`,
    ],
    insertion: [
      "Insertion",
      `The reverse: the input starts as ${fill}, and pixels of the image are put in. If the map marks what the network uses, ${what} rises at once: the larger the area, the better. Insertion favors compact maps, which uncover whole parts of an object.`,
    ],
  };
  const controls =
    "The gray lines are orders that know nothing of the network: random pixels, and a blob that grows from the center. The blob does well where objects are centered, as in most photographs. A method tells something about an image only where it is better than both. Across: the share of pixels that are changed.";
  const legend = createLegend([
    ["method", "the method"],
    ["random", CONTROL_NAMES.random],
    ["center", CONTROL_NAMES.center],
  ]);
  return [
    ...CURVES.flatMap((kind) => [
      el("h3", {}, texts[kind][0]),
      el("p", { class: "about" }, texts[kind][1]),
      ...(kind === "deletion" ? [el("p", { class: "about" }, controls), legend] : []),
      createCurveCharts(found, kind),
    ]),
    el("p", { class: "source" }, "Petsiuk et al. 2018; replaced by blur as in Fong & Vedaldi 2017"),
  ];
}

function createCurveCharts(found: Explanations, kind: CurveKind): HTMLElement {
  const all = [...found.columns, ...CONTROLS.map((name) => found.controls[name])];
  const values = all.flatMap(({ curves }) => curves[kind]).filter((value) => value !== null);
  const high = found.of_classes ? 1 : Math.max(...values, Number.MIN_VALUE);
  const axes: Axes = {
    x: [0, 1],
    y: [Math.min(0, ...values), high],
    ends: ["0 %", "100 %"],
    format: found.of_classes ? percent : decimal,
  };
  const controls = CONTROLS.map((name) =>
    toLine(name, CONTROL_NAMES[name], found.controls[name].curves[kind]),
  );
  const charts = found.columns.map((column) => {
    const name = columnName(column);
    const lines = [...controls, toLine("method", name, column.curves[kind])];
    return createChart(
      column,
      createLineChart(`${name}, ${kind}`, lines, axes),
      column.curves[kind].length > 0,
    );
  });
  return el("div", { class: "charts" }, ...charts);
}

function toLine(kind: string, name: string, values: Values): Line {
  return { kind, name, points: toPoints(values, 1) };
}

function createChart(column: Column, chart: HTMLElement, known: boolean): HTMLElement {
  const content = known ? chart : el("p", { class: "empty" }, "All heat maps are the same everywhere.");
  return el("figure", {}, el("figcaption", {}, ...createName(column)), content);
}

function createName({ method, layer }: Column): (HTMLElement | string)[] {
  return [methodName(method), ...(layer ? [el("span", { class: "secondary" }, ` ${layer}`)] : [])];
}

// Randomization of the weights.

function createRandomization(found: Explanations): HTMLElement[] {
  const { randomization, columns } = found;
  if (!randomization) return [];
  const { steps, images } = randomization;
  const last = steps.at(-1) ?? "";
  const text = `The weights of the network are shuffled, module by module from ${steps[0]} back to ${last}, and the heat maps of ${count(images, "image")} are made again. Similarity is the rank correlation of absolute values with the heat map of the trained network: 1 for the same order of all places, 0 for none in common. A method whose heat maps stay alike when the weights are random cannot be about what the network has learned: its line has to fall.`;
  const values = columns.flatMap(({ verdict }) => verdict.randomization ?? []).filter((one) => one !== null);
  const axes: Axes = {
    x: [0, Math.max(steps.length, 1)],
    y: [Math.min(0, ...values.map(({ value, low }) => low ?? value)), 1],
    ends: ["trained", "random"],
    format: decimal,
  };
  const charts = columns.map((column) => {
    const similarity = column.verdict.randomization ?? [];
    const lines = [randomizationLine(columnName(column), similarity)];
    const chart = createLineChart(`${columnName(column)}, similarity`, lines, axes);
    return createChart(
      column,
      chart,
      similarity.some((one) => one !== null),
    );
  });
  return [
    el("h3", {}, "Random weights"),
    el("p", { class: "about" }, text),
    el("div", { class: "charts" }, ...charts),
    createRandomizationTable(found, steps),
    el("p", { class: "source" }, "Adebayo et al. 2018"),
  ];
}

/** From the maps of the trained network, which are alike, over the steps. */
function randomizationLine(name: string, similarity: readonly Measured[]): Line {
  const known = similarity.flatMap((one, index) => (one ? [{ at: index + 1, ...one }] : []));
  return {
    kind: "method",
    name,
    points: [[0, 1], ...known.map(({ at, value }): Point => [at, value])],
    band: [
      [0, 1, 1],
      ...known.map(({ at, value, low, high }): readonly [number, number, number] => [
        at,
        low ?? value,
        high ?? value,
      ]),
    ],
  };
}

function createRandomizationTable({ columns }: Explanations, steps: readonly string[]): HTMLElement {
  const rows = columns.map((column) => [
    columnName(column),
    ...steps.map((_, index) => createInterval(column.verdict.randomization?.[index])),
  ]);
  const head = ["Random weights down to", ...steps];
  return createDetails(
    "Similarities as a table",
    createTable("Similarity to the maps of the trained network", head, rows),
  );
}

// Pointing.

interface PointingMeasure {
  readonly name: string;
  readonly text: string;
  of(one: Column | Control): Measured;
  /** With the verdict beside chance. */
  readonly chance?: true;
}

const POINTING: readonly PointingMeasure[] = [
  {
    name: "Grid pointing",
    text: "Four images of different classes are put into one input, and one of their classes is explained. The figure is the share of the heat map’s positive values that lies in the image of that class: 25 % by chance (Böhle et al. 2021).",
    of: (one) => ("verdict" in one ? one.verdict.grid_pointing : null),
    chance: true,
  },
  {
    name: "Pointing game",
    text: "Share of the images in which the highest value of the heat map lies on the object that the image set has a mask of (Zhang et al. 2016).",
    of: (one) => ("verdict" in one ? one.verdict.pointing : one.pointing),
  },
  {
    name: "Mask IoU",
    text: "Overlap of the object’s mask with the highest values of the heat map, as many pixels as the mask has: intersection over union.",
    of: (one) => ("verdict" in one ? one.verdict.mask_iou : one.mask_iou),
  },
];

function createPointing(found: Explanations): HTMLElement[] {
  const { columns, controls, mosaics } = found;
  const measures = POINTING.filter(({ of }) => columns.some((column) => of(column)));
  const reason =
    mosaics && "reason" in mosaics
      ? [el("p", { class: "about" }, `Grid pointing was not measured: ${mosaics.reason}`)]
      : [];
  if (!measures.length && !reason.length) return [];
  const format = (value: number): string => percent(value);
  const cellOf = ({ of, chance, name }: PointingMeasure, one: Column | Control): HTMLElement | string => {
    const interval = of(one);
    if (!interval) return "–";
    const shown = createInterval(interval, name === "Mask IoU" ? decimal : format);
    return chance ? el("span", { class: "judged-value" }, shown, createWord(judgeGrid(interval))) : shown;
  };
  const rows = [
    ...columns.map((column) => [columnName(column), ...measures.map((measure) => cellOf(measure, column))]),
    ...CONTROLS.map((name) => [
      capitalized(CONTROL_NAMES[name]),
      ...measures.map((measure) => cellOf(measure, controls[name])),
    ]),
  ];
  const texts = measures.map(({ name, text }) => el("div", {}, el("dt", {}, name), el("dd", {}, text)));
  const total =
    mosaics && "count" in mosaics
      ? `, ${count(mosaics.count, "mosaic")} of images ${mosaics.full_size ? "at full size" : "at half their size"}`
      : "";
  return [
    el("h3", {}, "Pointing"),
    ...reason,
    ...(measures.length
      ? [
          el("dl", { class: "measures" }, ...texts),
          createTable(
            `Pointing, with 95 % intervals${total}`,
            ["Method", ...measures.map(({ name }) => name)],
            rows,
          ),
        ]
      : []),
  ];
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Tables.

/** Areas, and their differences from those of the controls. */
function createCurveTable(found: Explanations): HTMLElement {
  const { columns, controls } = found;
  const complete = columns.some(({ verdict }) => verdict.completeness !== null);
  const ways = CURVES.flatMap((kind) => CONTROLS.map((control) => ({ kind, control })));
  const head = [
    "Method",
    "Deletion",
    "Insertion",
    ...ways.map(({ kind, control }) => `${capitalized(kind)}, minus ${CONTROL_NAMES[control]}`),
    ...(complete ? ["Completeness"] : []),
  ];
  const rows = [
    ...columns.map((column) => {
      const { verdict } = column;
      return [
        columnName(column),
        ...CURVES.map((kind) => createInterval(verdict[kind])),
        ...ways.map(({ kind, control }) =>
          el(
            "span",
            { class: "judged-value" },
            createInterval(verdict[`${kind}_${control}`], signedDecimal),
            createWord(judgeCurve(column, kind, control)),
          ),
        ),
        ...(complete ? [decimal(verdict.completeness ?? Number.NaN)] : []),
      ];
    }),
    ...CONTROLS.map((name) => [
      capitalized(CONTROL_NAMES[name]),
      ...CURVES.map((kind) => createInterval(controls[name][kind])),
      ...ways.map(() => "–"),
      ...(complete ? ["–"] : []),
    ]),
  ];
  const meaning =
    "Completeness: difference between the sum of a heat map and the change of the score that it should add up to, relative to that change; mean over the images, 0 is exact.";
  return createDetails(
    "All figures of deletion and insertion as a table",
    createTable("Areas under the curves, with 95 % intervals", head, rows),
    ...(complete ? [el("p", { class: "about" }, meaning)] : []),
  );
}

function signedDecimal(value: number): string {
  return `${value > 0 ? "+" : ""}${decimal(value)}`;
}

function createDetails(summary: string, ...content: readonly HTMLElement[]): HTMLElement {
  return el("details", {}, el("summary", {}, summary), ...content);
}

function createTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | HTMLElement)[])[],
): HTMLElement {
  const body = rows.map(([first, ...rest]) =>
    el("tr", {}, el("th", { scope: "row" }, first ?? ""), ...rest.map((value) => el("td", {}, value))),
  );
  const table = el(
    "table",
    {},
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...body),
  );
  return el("div", { class: "table whole", tabindex: 0, role: "region", "aria-label": caption }, table);
}
