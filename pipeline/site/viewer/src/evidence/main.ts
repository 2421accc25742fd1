// Evidence page: whether attributions predict the network's output, and whether another network recognizes the icons.

import { loadDataFrom, takeData } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { isRecorded, notRecorded } from "../data/recorded";
import { createSvg, el } from "../ui/dom";
import { createPageHeader, showFailure } from "../ui/page";
import { createLayerCard } from "./layer";
import { createLegibility, judgeName, type LegibilityMetrics } from "./legibility";
import type { Result } from "./result";

async function start(): Promise<void> {
  const manifest = takeData("manifest") as Manifest;
  const layers = el("div", { class: "layers" });
  const rule = el("p", { class: "secondary rule" });
  document.body.append(
    createPageHeader(manifest.title),
    el("main", {}, ...createIntroduction(manifest), layers, rule),
  );
  for (const layer of isRecorded(manifest, "attributions") ? manifest.layers : []) {
    const name = `predict/${layer.name}`;
    const result = await loadDataFrom<Result>(`${name}/result.js`, name).catch(() => null);
    layers.append(createLayerCard(layer, result, manifest.network.classes));
    if (result?.measured) rule.textContent = result.verdict.rule;
  }
  const judge = judgeName(manifest);
  if (judge !== null) {
    const metrics = await loadDataFrom<LegibilityMetrics>("figures.js", "figures").catch(() => null);
    rule.after(createLegibility(manifest, judge, metrics));
  }
  document.documentElement.dataset.ready = "evidence";
}

/** Heading, description of both tests, and legend of the marks. */
function createIntroduction(manifest: Manifest): HTMLElement[] {
  const { network } = manifest;
  if (!isRecorded(manifest, "attributions")) {
    const text = notRecorded("Class attributions were", "attributions");
    return [el("h1", {}, "Evidence"), el("p", { class: "lead" }, text)];
  }
  const lead = el(
    "p",
    { class: "lead" },
    "Every cell of the atlas lists its top classes by attribution. Attribution is a linear approximation, valid " +
      `for small changes only. This page tests it on ${network.name} with two interventions.`,
  );
  const tests = el(
    "dl",
    { class: "tests" },
    createTest(
      "Ablation",
      "Single activations are replaced by zero (zero ablation), by the layer’s mean (mean " +
        "ablation), or by an activation of another image (resample ablation). Attribution " +
        "predicts the effect if the classes and samples that it ranks highest are those whose logits drop most. It estimates " +
        "the ablation by its baseline; the other two are compared with the same attribution and are harder to predict.",
    ),
    createTest(
      "Steering",
      "Activations of images without a sample in a cell are moved in the cell’s direction: from the layer’s mean towards the " +
        "cell’s mean. If the cell represents its top classes, their logits increase more than others, and less so along random " +
        "directions of equal norm, the cell’s direction with shuffled channels, or another cell’s direction.",
    ),
  );
  return [el("h1", {}, "Does attribution predict the network’s output?"), lead, tests, createLegend()];
}

function createTest(title: string, text: string): HTMLElement {
  return el("div", {}, el("dt", {}, title), el("dd", {}, text));
}

function createLegend(): HTMLElement {
  const createMark = (...marks: readonly SVGElement[]): SVGSVGElement =>
    createSvg("svg", { class: "track", width: 44, height: 16, "aria-hidden": "true" }, ...marks);
  const line = (kind: string): SVGElement =>
    createSvg("line", { class: `${kind} interval`, x1: 4, x2: 40, y1: 8, y2: 8 });
  const upright = (kind: string): SVGElement =>
    createSvg("line", { class: kind, x1: 22, x2: 22, y1: 0, y2: 16 });
  const entries: readonly (readonly [SVGSVGElement, string])[] = [
    [
      createMark(line("estimate"), createSvg("circle", { class: "estimate", cx: 22, cy: 8, r: 3.5 })),
      "measured, 95 % confidence interval",
    ],
    [
      createMark(line("control"), createSvg("circle", { class: "control", cx: 22, cy: 8, r: 3 })),
      "control: attributions shuffled across samples",
    ],
    [
      createMark(createSvg("circle", { class: "cell", cx: 22, cy: 8, r: 3 })),
      "one cell; opens it in the atlas",
    ],
    [createMark(upright("chance")), "chance level"],
    [createMark(upright("best")), "best possible, mean over cells"],
  ];
  return el("ul", { class: "key" }, ...entries.map(([mark, text]) => el("li", {}, mark, text)));
}

start().catch(showFailure);
