// All figures of a layer as tables, for those who want the numbers or cannot see the pictures.

import { percent } from "../data/format";
import { el } from "../ui/dom";
import { reading } from "./forest";
import {
  type CellTest,
  DIRECTIONS,
  MEASURED,
  MEASURES,
  type Measurement,
  number,
  PUSHED_ALONG,
  REPLACED_BY,
  REPLACEMENTS,
  type ReplacementTest,
} from "./result";

/** A part of the page that opens on demand. */
export function tables(
  { replacement, cells, layer }: Measurement,
  names: readonly string[],
): HTMLDetailsElement {
  const details = el(
    "details",
    {},
    el("summary", {}, "All figures as tables"),
    replacementTable(replacement),
  );
  if (cells) details.append(directionTable(cells), cellTable(cells, layer, names));
  return details;
}

function replacementTable(test: ReplacementTest): HTMLElement {
  const rows = MEASURES.filter((measure) => measure !== "own" || test.labelled > 0).map((measure) => {
    const shown = measure === "sign" || measure === "hit" ? share : number;
    const found = REPLACEMENTS.map((by) => [
      reading(test.measures[by][measure], shown),
      reading(test.shuffled[by][measure], shown),
    ]);
    return [MEASURED[measure], ...found.flat()];
  });
  const head = REPLACEMENTS.flatMap((by) => [`Replaced ${REPLACED_BY[by]}`, "shuffled"]);
  return table("Taken away, with 95 % intervals", ["Measure", ...head], rows);
}

function directionTable(test: CellTest): HTMLElement {
  const rows = DIRECTIONS.map((direction) => [
    PUSHED_ALONG[direction],
    reading(test.percentile[direction]),
    direction === "own" ? "–" : reading(test.lift[direction]),
    reading(test.rise[direction]),
  ]);
  const head = [
    "Direction",
    "Place of the named classes, 0 to 1",
    "Own above it",
    "Rise above all classes, logits",
  ];
  return table("Pushed, with 95 % intervals", head, rows);
}

function cellTable(test: CellTest, layer: string, names: readonly string[]): HTMLElement {
  const rows = [...test.cells]
    .sort((one, two) => (two.percentile ?? -1) - (one.percentile ?? -1))
    .map(({ cell, classes, percentile }) => [
      el("a", { href: cellAddress(layer, test.level, cell) }, `row ${cell[0] + 1}, column ${cell[1] + 1}`),
      classes.map((id) => names[id] ?? `class ${id}`).join(", "),
      number(percentile),
    ]);
  return table("The cells that were pushed", ["Cell", "Classes it names", "Their place"], rows);
}

/** The link to a cell in the atlas. */
export function cellAddress(layer: string, level: number, [row, column]: readonly [number, number]): string {
  const parts = new URLSearchParams({ layer, level: String(level), pin: `${level}.${row}.${column}` });
  return `index.html#${parts}`;
}

function table(
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

function share(value: number | null): string {
  return value === null ? "–" : percent(value);
}
