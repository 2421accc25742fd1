// One layer: what came out, in words and pictures.

import { count, percent } from "../data/format";
import type { LayerEntry } from "../data/manifest";
import { el } from "../ui/dom";
import { type Axis, forest, type Row } from "./forest";
import {
  type CellTest,
  DIRECTIONS,
  GRADES,
  type Grade,
  type Measurement,
  PUSHED_ALONG,
  REPLACED_BY,
  REPLACEMENTS,
  type ReplacementTest,
  type Result,
} from "./result";
import { scatterFigure } from "./scatter";
import { cellAddress, tables } from "./tables";

const CORRELATION: Axis = { low: -1, high: 1, ticks: [-1, -0.5, 0, 0.5, 1], chance: 0 };

/** The article of a layer; `null` where its file is missing. */
export function layerCard(layer: LayerEntry, result: Result | null, names: readonly string[]): HTMLElement {
  const seen = layer.receptive_field;
  const about = `${layer.map.join(" × ")} places, each sees ${count(seen, "pixel")} across`;
  const heading = el("header", {}, el("h2", {}, layer.name), el("p", { class: "fine" }, about));
  const card = el("article", { class: "layer", "data-layer": layer.name }, heading);
  if (result?.measured) card.append(...measured(result, names));
  else {
    card.classList.add("absent");
    const reason = result ? el("p", {}, `Here ${result.reason}.`) : missing(layer.name);
    card.append(el("p", { class: "nothing" }, "Not measured."), reason);
  }
  return card;
}

function missing(layer: string): HTMLElement {
  const command = el("code", {}, `atlas predict layer=${layer}`);
  return el("p", {}, "To measure this layer, run ", command, " and load this page again.");
}

function measured(result: Measurement, names: readonly string[]): HTMLElement[] {
  const { verdict, replacement, cells } = result;
  const sections = [
    el(
      "div",
      {},
      el("p", { class: "verdict" }, verdict.text),
      verdict.warning ? warning(verdict.warning) : null,
    ),
    el(
      "section",
      { class: "taken" },
      testHeading("Taken away", verdict.removed.grade),
      ...taken(replacement, names),
    ),
  ];
  const pushed = el("section", { class: "pushed" }, testHeading("Pushed", verdict.pushed.grade));
  if (cells) pushed.append(...push(cells, result.layer, names));
  else pushed.append(el("p", { class: "nothing" }, "No drawn cell of this layer names a class."));
  return [...sections, pushed, tables(result, names)];
}

function warning(text: string): HTMLElement {
  return el("p", { class: "warning", role: "note" }, el("strong", {}, "Weak here."), " ", text);
}

function testHeading(title: string, grade: Grade): HTMLElement {
  return el("h3", {}, title, " ", el("span", { class: "grade", "data-grade": grade }, GRADES[grade]));
}

function taken(test: ReplacementTest, names: readonly string[]): HTMLElement[] {
  const rows = (measure: "within" | "across"): Row[] =>
    REPLACEMENTS.map((by) => ({
      name: REPLACED_BY[by],
      figure: test.measures[by][measure],
      control: test.shuffled[by][measure],
    }));
  const hit = test.measures.zero.hit.value;
  return [
    forest("Within a sample", "Does attribution name the right classes?", rows("within"), CORRELATION),
    forest("For a class", "Does attribution name the right samples?", rows("across"), CORRELATION),
    ...(hit === null ? [] : [el("p", { class: "said" }, hits(hit, test.classes))]),
    ...(test.points.length ? [scatterFigure(test, names)] : []),
    el("p", { class: "fine" }, counted(test)),
  ];
}

function hits(share: number, classes: number): string {
  return (
    `In ${percent(share)} of the samples the class of strongest attribution is the one that loses most when the ` +
    `activation becomes zero; by chance it would be ${percent(1 / classes)}.`
  ).replaceAll(" %", "\u00a0%");
}

function counted({ samples, images, constant }: ReplacementTest): string {
  const parts = [`${count(samples, "sample")} of ${count(images, "image")}.`];
  if (constant.attribution) {
    parts.push(
      `${count(constant.attribution, "sample")} with the same attribution for every class left out.`,
    );
  }
  const still = REPLACEMENTS.filter((by) => constant[by]).map((by) => `${constant[by]} ${REPLACED_BY[by]}`);
  if (still.length)
    parts.push(`Left out, since replacing changed no class more than another: ${still.join(", ")}.`);
  return parts.join(" ");
}

function push(test: CellTest, layer: string, names: readonly string[]): HTMLElement[] {
  const axis: Axis = { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], chance: 0.5, best: test.ceiling };
  const rows = DIRECTIONS.map((direction) => ({
    name: PUSHED_ALONG[direction],
    figure: test.percentile[direction],
    plain: direction !== "own",
    dots: direction === "own" ? dots(test, layer, names) : [],
  }));
  const question =
    "Where do the classes that a cell names come among the rises of all classes? 1 rises most.";
  return [
    forest("Place of the named classes", question, rows, axis),
    el("p", { class: "fine" }, pushesCounted(test)),
  ];
}

function dots(test: CellTest, layer: string, names: readonly string[]) {
  return test.cells.flatMap(({ cell, classes, percentile }) => {
    if (percentile === null) return [];
    const title = classes.map((id) => names[id] ?? `class ${id}`).join(", ");
    return [{ value: percentile, address: cellAddress(layer, test.level, cell), title }];
  });
}

function pushesCounted({
  tested,
  drawn,
  level,
  pushes,
  images,
  still,
  silent,
  unpushed,
  push: length,
}: CellTest): string {
  const parts = [
    `${count(tested, "cell")} of ${drawn} at level ${level}, drawn by lot; ${count(pushes, "push", "pushes")} of ` +
      `${percent(length)} of the activation’s length, on ${count(images, "image")}, for each cell on those without a sample in it. Intervals are over cells and images.`,
  ];
  if (silent) parts.push(`${count(silent, "cell")} named no class.`);
  if (unpushed) parts.push(`${count(unpushed, "cell")} could not be pushed.`);
  if (still)
    parts.push(`${count(still, "push", "pushes")} moved nothing and ${still === 1 ? "is" : "are"} left out.`);
  return parts.join(" ");
}
