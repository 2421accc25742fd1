// Report of one direction of a comparison.

import { el } from "../ui/dom";
import { createCurves, createLegend, createRateTable } from "./charts";
import { createCandidateCards, createMontage, createPatchCards } from "./images";
import { createMethods } from "./methods";
import {
  formatInterval,
  formatPoints,
  formatShare,
  GROUP_NAMES,
  type PatchContext,
  type Tested,
  type Untested,
} from "./result";

export function createReport(context: PatchContext): HTMLElement[] {
  const { direction } = context;
  if (direction.skip_reason !== null) return createUntested({ ...context, direction });
  return createTested({ ...context, direction });
}

function createUntested(context: PatchContext<Untested>): HTMLElement[] {
  const { direction } = context;
  const why = el("p", { class: "skip-reason" }, direction.skip_reason);
  if (!direction.candidate_patches.length) return [why];
  const text = `Candidates of the atlas: exemplars from images of other classes at ${context.target}’s end.`;
  return [why, createSection("Candidates", text, createCandidateCards(context, direction.candidate_patches))];
}

function createTested(context: PatchContext<Tested>): HTMLElement[] {
  const { source, target, direction, manifest, test } = context;
  const { measured } = direction.images;
  const selected = direction.groups[0]?.patches.length ?? 0;
  const lead = `${manifest.network.name} was tested on ${measured} images of ${source} that it classifies correctly and that were not used for selection, each with one of ${selected} patches pasted in a corner. The patches are crops of images of other classes, from cells of ${test.layer} at ${target}’s end of the comparison atlas. How often does it now predict ${target}?`;
  const hasImages = direction.examples.some(({ after }) => after !== null);
  return [
    el("p", { class: "lead" }, lead),
    createHeadline(context),
    createSection(
      "Atlas and controls",
      "Same images, same search and same patch area for every row. Shares of images, with 95 % confidence intervals.",
      createRateTable(context),
    ),
    createSection(
      "Softmax against patch size",
      `Mean softmax in percent; across, the patch’s side in percent of the input’s. A patch that works as an addition to ${source} works at medium sizes; a larger one is classified as the object it was cropped from.`,
      createLegend(context),
      createCurves(context),
    ),
    createSection(
      "Selected patches",
      `Ordered by their rate on the selection half; the share is of the images of the other half that become ${target}.`,
      ...createPatchCards(context),
    ),
    ...(hasImages
      ? [
          createSection(
            "Before and after",
            `Every image was tested with one of the atlas’s patches; shown are images at equal steps from the largest to the smallest softmax of ${target}, so that failures are included.`,
            createSoftmaxLegend(context),
            createMontage(context),
          ),
        ]
      : []),
    createSection("Methods", null, createMethods(context)),
  ];
}

function createHeadline(context: PatchContext<Tested>): HTMLElement {
  const { direction, target } = context;
  const atlas = direction.groups[0];
  const bestControl = direction.differences.best_control;
  const difference = direction.differences[bestControl].static;
  const control = direction.groups.find(({ name }) => name === bestControl);
  const clear = difference.low > 0 || difference.high < 0;
  if (!atlas || !control) return el("div", {});
  const name = GROUP_NAMES[bestControl].name.toLowerCase();
  return el(
    "div",
    { class: "headline" },
    createEstimate(
      formatShare(atlas.static.targeted.value),
      `become ${target}, one size and corner for all images`,
      atlas.static.targeted,
    ),
    createEstimate(
      formatShare(atlas.dynamic.targeted.value),
      "with the best size and corner for each image (oracle)",
      atlas.dynamic.targeted,
    ),
    createEstimate(
      formatPoints(difference.value),
      `points above the best control without an atlas (${name}: ${formatShare(control.static.targeted.value)})${clear ? "" : "; not significant"}`,
      difference,
    ),
  );
}

function createEstimate(
  value: string,
  what: string,
  estimate: { low: number; high: number; value: number },
): HTMLElement {
  return el(
    "div",
    { class: "figure" },
    el("p", { class: "value" }, value),
    el("p", { class: "interval-text" }, `95 % confidence interval ${formatInterval(estimate)}`),
    el("p", { class: "what" }, what),
  );
}

function createSoftmaxLegend({ source, target }: PatchContext<Tested>): HTMLElement {
  const entry = (line: string, text: string): HTMLElement =>
    el("li", {}, el("span", { class: `stroke ${line}`, "aria-hidden": "true" }), `softmax of ${text}`);
  return el("ul", { class: "legend" }, entry("source", source), entry("target", target));
}

function createSection(title: string, text: string | null, ...children: readonly HTMLElement[]): HTMLElement {
  return el(
    "section",
    {},
    el("h2", {}, title),
    text === null ? null : el("p", { class: "about" }, text),
    ...children,
  );
}
