// One direction of one comparison, from the headline to the small print.

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
  if (direction.hindrance !== null) return createUntested({ ...context, direction });
  return createTested({ ...context, direction });
}

function createUntested(context: PatchContext<Untested>): HTMLElement[] {
  const { direction } = context;
  const why = el("p", { class: "skip-reason" }, direction.hindrance);
  if (!direction.proposed.length) return [why];
  const text = `What the atlas would try: exemplars from other classes’ images at ${context.target}’s end.`;
  return [why, createSection("Candidates", text, createCandidateCards(context, direction.proposed))];
}

function createTested(context: PatchContext<Tested>): HTMLElement[] {
  const { source, target, direction, manifest, test } = context;
  const { measured } = direction.images;
  const kept = direction.groups[0]?.patches.length ?? 0;
  const lead = `${manifest.network.name} was shown ${measured} images of ${source} that it gets right and that chose nothing here, each with one of ${kept} patches in a corner. The patches are crops of other classes’ images, from cells of ${test.layer} that the comparison atlas puts at ${target}’s end. How often does it now say ${target}?`;
  const pictures = direction.examples.some(({ after }) => after !== null);
  return [
    el("p", { class: "lead" }, lead),
    createHeadline(context),
    createSection(
      "The atlas beside its controls",
      "The same pictures to change, the same search and the same patch area for every row. Shares of pictures, with 95 % intervals.",
      createRateTable(context),
    ),
    createSection(
      "Softmax against patch size",
      `Mean softmax in percent; across, the patch’s side in percent of the input’s. A patch that works by what it adds to ${source} does so at middle sizes; a larger one is seen as the thing it was cut from.`,
      createLegend(context),
      createCurves(context),
    ),
    createSection(
      "The kept patches",
      `Best first on the half they were chosen on; the share is of the other half’s images that become ${target}.`,
      ...createPatchCards(context),
    ),
    ...(pictures
      ? [
          createSection(
            "Before and after",
            `Every image met one of the atlas’s patches in turn; shown are pictures at equal steps from the largest to the smallest softmax of ${target}, so failures are among them.`,
            createSoftmaxLegend(context),
            createMontage(context),
          ),
        ]
      : []),
    createSection("How it was done", null, createMethods(context)),
  ];
}

function createHeadline(context: PatchContext<Tested>): HTMLElement {
  const { direction, target } = context;
  const atlas = direction.groups[0];
  const { best } = direction.added;
  const added = direction.added[best].static;
  const control = direction.groups.find(({ name }) => name === best);
  const clear = added.low > 0 || added.high < 0;
  if (!atlas || !control) return el("div", {});
  const name = GROUP_NAMES[best].name.toLowerCase();
  return el(
    "div",
    { class: "headline" },
    createFigure(
      formatShare(atlas.static.becomes.value),
      `become ${target}, one size and corner for all images`,
      atlas.static.becomes,
    ),
    createFigure(
      formatShare(atlas.dynamic.becomes.value),
      "with the best size and corner of each image, an oracle",
      atlas.dynamic.becomes,
    ),
    createFigure(
      formatPoints(added.value),
      `points more than the best control without an atlas (${name}: ${formatShare(control.static.becomes.value)})${clear ? "" : "; no clear difference"}`,
      added,
    ),
  );
}

function createFigure(
  value: string,
  what: string,
  estimate: { low: number; high: number; value: number },
): HTMLElement {
  return el(
    "div",
    { class: "figure" },
    el("p", { class: "value" }, value),
    el("p", { class: "interval-text" }, `95 % interval ${formatInterval(estimate)}`),
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
