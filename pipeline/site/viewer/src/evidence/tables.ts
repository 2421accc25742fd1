// All measurements of a layer as tables.

import { describePosition } from "../data/area";
import { percent } from "../data/format";
import { el } from "../ui/dom";
import { createValue } from "./forest";
import {
  ABLATION_NAMES,
  ABLATIONS,
  type AblationTest,
  DIRECTIONS,
  formatNumber,
  MEASURE_NAMES,
  MEASURES,
  type Measurement,
  STEERING_NAMES,
  type SteeringTest,
} from "./result";

/** Collapsed part of the page with the tables. */
export function createTables(
  { ablation, steering, layer }: Measurement,
  names: readonly string[],
): HTMLDetailsElement {
  const details = el(
    "details",
    {},
    el("summary", {}, "All measurements as tables"),
    createAblationTable(ablation),
  );
  if (steering) details.append(createSteeringTable(steering), createCellTable(steering, layer, names));
  return details;
}

function createAblationTable(test: AblationTest): HTMLElement {
  const rows = MEASURES.filter((measure) => measure !== "own_label" || test.labeled > 0).map((measure) => {
    const format = measure === "sign" || measure === "hit" ? formatShare : formatNumber;
    const found = ABLATIONS.map((by) => [
      createValue(test.measures[by][measure], format),
      createValue(test.shuffled[by][measure], format),
    ]);
    return [MEASURE_NAMES[measure], ...found.flat()];
  });
  const head = ABLATIONS.flatMap((by) => [ABLATION_NAMES[by], "shuffled"]);
  return createTable("Ablation, with 95 % confidence intervals", ["Measure", ...head], rows);
}

function createSteeringTable(test: SteeringTest): HTMLElement {
  const rows = DIRECTIONS.map((direction) => [
    STEERING_NAMES[direction],
    createValue(test.percentile[direction]),
    direction === "own" ? "–" : createValue(test.lift[direction]),
    createValue(test.rise[direction]),
  ]);
  const head = [
    "Direction",
    "Percentile of the top classes, 0 to 1",
    "Difference to own",
    "Increase relative to all classes, logits",
  ];
  return createTable("Steering, with 95 % confidence intervals", head, rows);
}

function createCellTable(test: SteeringTest, layer: string, names: readonly string[]): HTMLElement {
  const rows = [...test.cells]
    .sort((one, two) => (two.percentile ?? -1) - (one.percentile ?? -1))
    .map(({ cell, classes, percentile }) => [
      el(
        "a",
        { href: cellUrl(layer, test.level, cell) },
        describePosition({ row: cell[0], column: cell[1] }),
      ),
      classes.map((id) => names[id] ?? `class ${id}`).join(", "),
      formatNumber(percentile),
    ]);
  return createTable("The steered cells", ["Cell", "Top classes", "Percentile"], rows);
}

/** URL of a cell in the atlas. */
export function cellUrl(layer: string, level: number, [row, column]: readonly [number, number]): string {
  const parts = new URLSearchParams({ layer, level: String(level), pin: `${level}.${row}.${column}` });
  return `index.html#${parts}`;
}

export function createTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | Node)[])[],
): HTMLElement {
  const body = rows.map(([first, ...rest]) =>
    el("tr", {}, el("th", { scope: "row" }, first ?? ""), ...rest.map((value) => el("td", {}, value))),
  );
  return el(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...body),
    ),
  );
}

function formatShare(value: number | null): string {
  return value === null ? "–" : percent(value);
}
