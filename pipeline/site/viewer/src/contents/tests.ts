// Results beside the atlases: evidence for attributions, patch tests of comparisons, explanations, single units, and
// synthesized pictures.

import { loadDataFrom } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { isRecorded, notRecorded } from "../data/recorded";
import { SYNTHESIS_NAMES, synthesisAddress } from "../data/syntheses";
import { GRADE_NAMES, type Result } from "../evidence/result";
import { className, classPair, formatShare, listComparisons, type PatchTest, toHash } from "../patch/result";
import { el } from "../ui/dom";

/** Their sections; results are filled in as their files are loaded. */
export function createTests(manifest: Manifest): HTMLElement[] {
  return [
    createEvidence(manifest),
    ...createPatches(manifest),
    ...createExplanations(manifest),
    ...createUnits(manifest),
    ...createSyntheses(manifest),
  ];
}

function createExplanations({ explain }: Manifest): HTMLElement[] {
  if (!explain.length) return [];
  const links = explain.map((layer) => {
    const name = layer === "logits" ? "Classes" : `Units of ${layer}`;
    const href = `explain.html#${new URLSearchParams({ layer })}`;
    return el("li", {}, el("a", { class: "name", href }, name));
  });
  const description =
    "Which places of an image does a score come from? Heat maps by several methods, and tests of the methods.";
  return [
    el(
      "section",
      { id: "explanations" },
      el("h2", {}, el("a", { href: "explain.html" }, "Explanations")),
      el("p", { class: "summary" }, description),
      el("ul", { class: "results" }, ...links),
    ),
  ];
}

function createUnits({ units }: Manifest): HTMLElement[] {
  const layers = Object.keys(units);
  if (!layers.length) return [];
  const links = layers.map((layer) =>
    el(
      "li",
      {},
      el("a", { class: "name", href: `units.html#${new URLSearchParams({ layer })}` }, `Units of ${layer}`),
    ),
  );
  const description = "What do single channels respond to? Optimized images, examples and figures.";
  return [
    el(
      "section",
      { id: "units" },
      el("h2", {}, el("a", { href: "units.html" }, "Units")),
      el("p", { class: "summary" }, description),
      el("ul", { class: "results" }, ...links),
    ),
  ];
}

function createSyntheses({ synthesize }: Manifest): HTMLElement[] {
  if (!synthesize.length) return [];
  const links = synthesize.map((method) =>
    el("li", {}, el("a", { class: "name", href: synthesisAddress(method) }, SYNTHESIS_NAMES[method])),
  );
  const description =
    "What does the network keep of an image, and what does it add? Pictures made from images and from cells.";
  return [
    el(
      "section",
      { id: "syntheses" },
      el("h2", {}, el("a", { href: "synthesize.html" }, "Syntheses")),
      el("p", { class: "summary" }, description),
      el("ul", { class: "results" }, ...links),
    ),
  ];
}

function createEvidence(manifest: Manifest): HTMLElement {
  if (!isRecorded(manifest, "attributions")) {
    const text = notRecorded("Class attributions were", "attributions");
    return el("section", { id: "evidence" }, el("h2", {}, "Evidence"), el("p", { class: "empty" }, text));
  }
  const list = el("ul", { class: "results" });
  for (const { name } of manifest.layers) {
    const found = el("span", { class: "secondary found" });
    list.append(el("li", {}, el("span", { class: "name" }, name), found));
    showResult<Result>(`predict/${name}`, found, (result) => {
      if (!result.measured) return `not measured: ${result.reason}`;
      const { ablation, steering } = result.verdict;
      return `ablation: ${GRADE_NAMES[ablation.grade]}; steering: ${GRADE_NAMES[steering.grade]}`;
    });
  }
  return el(
    "section",
    { id: "evidence" },
    el("h2", {}, el("a", { href: "evidence.html" }, "Evidence")),
    el(
      "p",
      { class: "summary" },
      "Do attributions predict which logits drop under ablation, and which increase under steering?",
    ),
    list,
  );
}

function createPatches(manifest: Manifest): HTMLElement[] {
  const names = listComparisons(manifest);
  if (!names.length) return [];
  const items = names.flatMap((atlas) =>
    manifest.layers.map(({ name }) => createPatchItem(manifest, name, atlas)),
  );
  const description = "Does pasting a patch that the comparison suggests change one class into the other?";
  return [
    el(
      "section",
      { id: "patches" },
      el("h2", {}, "Patch tests"),
      el("p", { class: "summary" }, description),
      el("ul", { class: "results" }, ...items),
    ),
  ];
}

function createPatchItem(manifest: Manifest, layer: string, atlas: string): HTMLElement {
  const [left, right] = classPair(atlas);
  const names = [left, right].map((id) => className(manifest, id));
  const href = `patch.html${toHash({ layer, atlas, direction: `${left}-${right}` })}`;
  const found = el("span", { class: "secondary found" });
  showResult<PatchTest>(`patch/${layer}/${atlas}`, found, (test) => describePatchTest(manifest, test));
  return el(
    "li",
    {},
    el("a", { class: "name", href }, names.join(" ↔ ")),
    el("span", { class: "secondary" }, layer),
    found,
  );
}

/** Share of images that the atlas's patches changed, in both directions. */
function describePatchTest(manifest: Manifest, test: PatchTest): string {
  const rates = test.directions.map((direction) => {
    const target = className(manifest, direction.target);
    if (direction.skip_reason !== null) return `into ${target}: not enough data to test`;
    const atlas = direction.groups.find(({ name }) => name === "atlas");
    return atlas
      ? `into ${target}: ${formatShare(atlas.static.targeted.value)} of images`
      : `into ${target}: –`;
  });
  return rates.join("; ");
}

/** Show the result of a stage, or that there is none. */
function showResult<Result>(name: string, element: HTMLElement, describe: (result: Result) => string): void {
  loadDataFrom<Result>(`${name}/result.js`, name)
    .then((result) => {
      element.textContent = describe(result);
    })
    .catch(() => {
      element.textContent = "no result on this site";
    });
}
