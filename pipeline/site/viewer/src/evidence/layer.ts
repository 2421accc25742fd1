// Results of one layer, in text and plots.

import { count, percent } from "../data/format";
import type { LayerEntry } from "../data/manifest";
import { el } from "../ui/dom";
import { type Axis, createForestPlot, type Row } from "./forest";
import {
  ABLATION_NAMES,
  ABLATIONS,
  type AblationTest,
  BASELINE_NAMES,
  DIRECTIONS,
  GRADE_NAMES,
  type Grade,
  type Measurement,
  type Result,
  STEERING_NAMES,
  type SteeringTest,
} from "./result";
import { createScatterFigure } from "./scatter";
import { cellUrl, createTables } from "./tables";

const CORRELATION: Axis = { low: -1, high: 1, ticks: [-1, -0.5, 0, 0.5, 1], chance: 0 };

/** Card of a layer; `null` if its file is missing. */
export function createLayerCard(
  layer: LayerEntry,
  result: Result | null,
  names: readonly string[],
): HTMLElement {
  const about = `${layer.map.join(" × ")} positions, receptive field ${count(layer.receptive_field, "pixel")} across`;
  const heading = el("header", {}, el("h2", {}, layer.name), el("p", { class: "secondary" }, about));
  const card = el("article", { class: "layer", "data-layer": layer.name }, heading);
  if (result?.measured) card.append(...createMeasurement(result, names));
  else {
    card.classList.add("unmeasured");
    const reason = result ? el("p", {}, `Reason: ${result.reason}.`) : createMissingNote(layer.name);
    card.append(el("p", { class: "empty" }, "Not measured."), reason);
  }
  return card;
}

function createMissingNote(layer: string): HTMLElement {
  const command = el("code", {}, `atlas predict layer=${layer}`);
  return el("p", {}, "To measure this layer, run ", command, " and reload this page.");
}

function createMeasurement(result: Measurement, names: readonly string[]): HTMLElement[] {
  const { verdict, ablation, steering } = result;
  const sections = [
    el(
      "div",
      {},
      el("p", { class: "verdict" }, verdict.text),
      verdict.warning ? createWarning(verdict.warning) : null,
    ),
    el(
      "section",
      { class: "ablation" },
      createTestHeading("Ablation", verdict.ablation.grade),
      ...createAblation(ablation, names),
    ),
  ];
  const steeringSection = el(
    "section",
    { class: "steering" },
    createTestHeading("Steering", verdict.steering.grade),
  );
  if (steering) steeringSection.append(...createSteering(steering, result.layer, names));
  else
    steeringSection.append(
      el("p", { class: "empty" }, "No cell with an icon has a positive attribution at this layer."),
    );
  return [...sections, steeringSection, createTables(result, names)];
}

function createWarning(text: string): HTMLElement {
  return el("p", { class: "warning", role: "note" }, el("strong", {}, "Weak evidence."), " ", text);
}

function createTestHeading(title: string, grade: Grade): HTMLElement {
  return el("h3", {}, title, " ", el("span", { class: "grade", "data-grade": grade }, GRADE_NAMES[grade]));
}

function createAblation(test: AblationTest, names: readonly string[]): HTMLElement[] {
  const rows = (measure: "within" | "across"): Row[] =>
    ABLATIONS.map((by) => ({
      name: ABLATION_NAMES[by],
      estimate: test.measures[by][measure],
      control: test.shuffled[by][measure],
    }));
  const hit = test.measures[test.estimated].hit.value;
  return [
    createForestPlot(
      "Across the classes of a sample",
      "Does attribution rank the right classes first?",
      rows("within"),
      CORRELATION,
    ),
    createForestPlot(
      "Across the samples of a class",
      "Does attribution rank the right samples first?",
      rows("across"),
      CORRELATION,
    ),
    ...(hit === null ? [] : [el("p", { class: "summary" }, describeHits(hit, test))]),
    ...(test.points.length ? [createScatterFigure(test, names)] : []),
    el("p", { class: "secondary" }, describeAblation(test)),
  ];
}

function describeHits(share: number, { classes, estimated }: AblationTest): string {
  return (
    `In ${percent(share)} of the samples, the class with the largest attribution is the one whose logit drops most when the ` +
    `activation is replaced by ${BASELINE_NAMES[estimated]}; chance level is ${percent(1 / classes)}.`
  ).replaceAll(" %", "\u00a0%");
}

function describeAblation({ samples, images, constant }: AblationTest): string {
  const parts = [`${count(samples, "sample")} of ${count(images, "image")}.`];
  if (constant.attribution) {
    parts.push(`${count(constant.attribution, "sample")} with the same attribution to every class excluded.`);
  }
  const constantRows = ABLATIONS.filter((by) => constant[by]).map(
    (by) => `${constant[by]} under ${ABLATION_NAMES[by]}`,
  );
  if (constantRows.length)
    parts.push(`Excluded, because the ablation changed all classes equally: ${constantRows.join(", ")}.`);
  return parts.join(" ");
}

function createSteering(test: SteeringTest, layer: string, names: readonly string[]): HTMLElement[] {
  const axis: Axis = { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], chance: 0.5, best: test.ceiling };
  const rows = DIRECTIONS.map((direction) => ({
    name: STEERING_NAMES[direction],
    estimate: test.percentile[direction],
    plain: direction !== "own",
    dots: direction === "own" ? createDots(test, layer, names) : [],
  }));
  const question =
    "Percentile of the increase of the cell’s top classes among the increases of all classes; 1 is the largest increase.";
  return [
    createForestPlot("Percentile of the top classes", question, rows, axis),
    el("p", { class: "secondary" }, describeSteering(test)),
  ];
}

function createDots(test: SteeringTest, layer: string, names: readonly string[]) {
  return test.cells.flatMap(({ cell, classes, percentile }) => {
    if (percentile === null) return [];
    const title = classes.map((id) => names[id] ?? `class ${id}`).join(", ");
    return [{ value: percentile, url: cellUrl(layer, test.level, cell), title }];
  });
}

function describeSteering({
  tested,
  drawn,
  level,
  trials,
  images,
  trials_without_effect: trialsWithoutEffect,
  without_class: withoutClass,
  without_effect: withoutEffect,
  strength,
}: SteeringTest): string {
  const parts = [
    `${count(tested, "cell")} of ${drawn} at level ${level}, sampled at random; ${count(trials, "intervention")} of ` +
      `${percent(strength)} of the activation’s norm, on ${count(images, "image")}, for each cell on images without a sample in it. Confidence intervals are over cells and images.`,
  ];
  if (withoutClass) parts.push(`${count(withoutClass, "cell")} had no positive attribution.`);
  if (withoutEffect) parts.push(`${count(withoutEffect, "cell")} could not be steered.`);
  if (trialsWithoutEffect)
    parts.push(
      `${count(trialsWithoutEffect, "intervention")} had no effect and ${trialsWithoutEffect === 1 ? "is" : "are"} excluded.`,
    );
  return parts.join(" ");
}
