// What was tested on the network itself: the evidence for attributions, and the patches of comparisons.

import { loadPartFrom } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { GRADES, type Result } from "../evidence/result";
import { className, comparisons, type PatchTest, pair, share, toHash } from "../patch/result";
import { el } from "../ui/dom";

/** Both sections; figures appear in them as their files are read. */
export function tests(manifest: Manifest): HTMLElement[] {
  return [evidence(manifest), ...patches(manifest)];
}

function evidence(manifest: Manifest): HTMLElement {
  const list = el("ul", { class: "results" });
  for (const { name } of manifest.layers) {
    const found = el("span", { class: "fine found" });
    list.append(el("li", {}, el("span", { class: "name" }, name), found));
    read<Result>(`predict/${name}`, found, (result) => {
      if (!result.measured) return `not measured: ${result.reason}`;
      const { removed, pushed } = result.verdict;
      return `taken away, ${GRADES[removed.grade]}; pushed, ${GRADES[pushed.grade]}`;
    });
  }
  return el(
    "section",
    { id: "evidence" },
    el("h2", {}, el("a", { href: "evidence.html" }, "Evidence")),
    el(
      "p",
      { class: "said" },
      "Do attributions foretell what the network does? Tested on the network itself.",
    ),
    list,
  );
}

function patches(manifest: Manifest): HTMLElement[] {
  const names = comparisons(manifest);
  if (!names.length) return [];
  const items = names.flatMap((atlas) => manifest.layers.map(({ name }) => patch(manifest, name, atlas)));
  const said = "Does a patch that a comparison points to turn one class into the other?";
  return [
    el(
      "section",
      { id: "patches" },
      el("h2", {}, "Patch tests"),
      el("p", { class: "said" }, said),
      el("ul", { class: "results" }, ...items),
    ),
  ];
}

function patch(manifest: Manifest, layer: string, atlas: string): HTMLElement {
  const [left, right] = pair(atlas);
  const names = [left, right].map((id) => className(manifest, id));
  const href = `patch.html${toHash({ layer, atlas, direction: `${left}-${right}` })}`;
  const found = el("span", { class: "fine found" });
  read<PatchTest>(`patch/${layer}/${atlas}`, found, (test) => told(manifest, test));
  return el(
    "li",
    {},
    el("a", { class: "name", href }, names.join(" ↔ ")),
    el("span", { class: "fine" }, layer),
    found,
  );
}

/** The share of pictures that the atlas's patches turned, each way. */
function told(manifest: Manifest, test: PatchTest): string {
  const ways = test.directions.map((direction) => {
    const target = className(manifest, direction.target);
    if (direction.hindrance !== null) return `into ${target}: too little to test`;
    const atlas = direction.groups.find(({ name }) => name === "atlas");
    return atlas ? `into ${target}: ${share(atlas.static.becomes.value)} of pictures` : `into ${target}: –`;
  });
  return ways.join("; ");
}

/** Say what the result of a stage tells, or that there is none yet. */
function read<Result>(name: string, place: HTMLElement, tell: (result: Result) => string): void {
  loadPartFrom<Result>(`${name}/result.js`, name)
    .then((result) => {
      place.textContent = tell(result);
    })
    .catch(() => {
      place.textContent = "no result in this site";
    });
}
