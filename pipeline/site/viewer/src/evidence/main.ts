// The page of evidence: what attributions foretell, layer by layer.

import { loadDataFrom, takeData } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { createSvg, el } from "../ui/dom";
import { createThemeButton } from "../ui/page";
import { createLayerCard } from "./layer";
import type { Result } from "./result";

async function start(): Promise<void> {
  const manifest = takeData("manifest") as Manifest;
  const layers = el("div", { class: "layers" });
  const rule = el("p", { class: "secondary rule" });
  document.body.append(createHeader(manifest), el("main", {}, ...createIntroduction(manifest), layers, rule));
  for (const layer of manifest.layers) {
    const name = `predict/${layer.name}`;
    const result = await loadDataFrom<Result>(`${name}/result.js`, name).catch(() => null);
    layers.append(createLayerCard(layer, result, manifest.network.classes));
    if (result?.measured) rule.textContent = result.verdict.rule;
  }
  document.documentElement.dataset.ready = "evidence";
}

function createHeader({ title }: Manifest): HTMLElement {
  const back = el("a", { class: "back", href: "index.html" }, "← Atlas");
  return el(
    "header",
    { class: "page-header" },
    back,
    el("p", { class: "where" }, title),
    createThemeButton(() => {}),
  );
}

start().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  document.body.append(el("p", { class: "failure", role: "alert" }, text));
});

// What was tested and how to read it.

/** The heading, both tests in plain words, and the key to the marks. */
export function createIntroduction({ network }: Manifest): HTMLElement[] {
  const lead = el(
    "p",
    { class: "lead" },
    "Every cell of the atlas names classes: those that its attribution speaks for. Attribution is an estimate, good " +
      `for small changes only. Here it is put to the test on ${network.name} itself, in two ways.`,
  );
  const tests = el(
    "dl",
    { class: "tests" },
    createTest(
      "Taken away",
      "Single activations are replaced: by zero, by the layer’s mean, by an activation of another image. Attribution " +
        "foretells what happens if the classes and samples that it ranks high are those that lose most. It speaks of " +
        "zero; the other two are compared with the same attribution, and ask more of it than it promises.",
    ),
    createTest(
      "Pushed",
      "Activations of images that have nothing in a cell are pushed the cell’s way: from the layer’s mean towards the " +
        "cell’s. If the cell means its classes, these rise above the others, and not so along equally long random " +
        "directions, the cell’s own with its channels shuffled, or another cell’s.",
    ),
  );
  return [el("h1", {}, "Does attribution predict?"), lead, tests, createLegend()];
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
      "measured, 95 % interval",
    ],
    [
      createMark(line("control"), createSvg("circle", { class: "control", cx: 22, cy: 8, r: 3 })),
      "the same with attributions shuffled among samples",
    ],
    [
      createMark(createSvg("circle", { class: "cell", cx: 22, cy: 8, r: 3 })),
      "one cell, opens it in the atlas",
    ],
    [createMark(upright("chance")), "no relation"],
    [createMark(upright("best")), "best possible, mean of cells"],
  ];
  return el("ul", { class: "key" }, ...entries.map(([mark, text]) => el("li", {}, mark, text)));
}
