// The panel of a selected region.

import { bars } from "../classes/class-bars";
import type { Area } from "../data/area";
import { different, type Exemplar, evenly, loadExemplars } from "../data/exemplars";
import { count } from "../data/format";
import { type ImageSource, imageSources, type Tally } from "../data/images";
import type { Manifest } from "../data/manifest";
import { patches } from "../panels/exemplar-patches";
import { countLabels, labelBars, partImages } from "../panels/image-list";
import type { Scene } from "../state/scene";
import { section } from "../ui/controls";
import { button, drawing, el } from "../ui/dom";
import { exportButtons } from "./export-buttons";
import { extent, type Region, region, regionNumbers } from "./region";
import { addButton } from "./region-tool";

export interface RegionActions {
  close(): void;
  /** Take up the lasso to add to the region. */
  add(): void;
  choose(classId: number, add: boolean): void;
  report(error: unknown): void;
}

const ABOUT_CLASSES =
  "Mean over the region's samples of what their cells list. A cell lists only its strongest classes; a class " +
  "counts as 0 where it is not listed.";

/** The panel; `area` counts in cells of the scene's level. Its images come when they are loaded. */
export function regionPanel(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  actions: RegionActions,
): HTMLElement {
  const found = region(scene.level, area);
  const chosen = scene.heat?.classId ?? null;
  const panel = el("section", { class: "panel region", "aria-label": "Selected region", tabindex: "-1" });
  panel.append(head(area, found, actions));
  if (!found.samples) {
    panel.append(el("p", { class: "section nothing" }, "No samples lie here."));
    return panel;
  }
  const sources = imageSources(manifest, scene);
  panel.append(
    exportButtons(manifest, scene, area, found, sources[0] ?? null),
    section(
      "What it speaks for",
      bars(manifest.network.classes, found.classes, chosen, actions.choose, scene.highlights),
      el("p", { class: "fine" }, ABOUT_CLASSES),
    ),
    ...(manifest.exemplars ? [exemplarSection(manifest, scene, found, actions)] : []),
    section("How far to trust its icons", regionNumbers(found)),
    ...imageSections(sources, area, actions),
  );
  return panel;
}

/** As many patches as a cell shows, taken evenly from all its samples. */
function exemplarSection(
  manifest: Manifest,
  scene: Scene,
  { cells }: Region,
  { report }: RegionActions,
): HTMLElement {
  const list = el("div", { class: "exemplars" }, el("div", { class: "waiting" }));
  const parts = manifest.exemplars;
  const chosen = evenly(scene.level, cells, parts);
  const load = async (cell: number): Promise<[number, Exemplar[]]> => [
    cell,
    await loadExemplars(manifest, scene.layer, scene.level, cell),
  ];
  Promise.all([...new Set(chosen)].map(load)).then((loaded) => {
    const ranked = new Map(loaded);
    const found = different(
      chosen,
      parts,
      (cell) => ranked.get(cell) ?? [],
      ({ address }) => address,
    );
    list.replaceChildren(...patches(manifest, scene.layer, found));
  }, report);
  return section("Where it was seen", list);
}

/** The labels and the images of a region, where there is a set to list; they come when they are loaded. */
function imageSections(
  sources: readonly ImageSource[],
  area: Area,
  { report }: RegionActions,
): HTMLElement[] {
  if (!sources.length) return [];
  const labels = el("div", {}, el("div", { class: "waiting" }));
  let latest: readonly Tally[] = [];
  const { choice, list } = partImages(sources, area, report, (source, tallies) => {
    latest = tallies;
    if (!tallies.length) labels.replaceChildren(el("p", { class: "nothing" }, "There are none."));
    if (!tallies.length) return;
    source
      .about(tallies.map(({ image }) => image))
      .then((abouts) => latest === tallies && labels.replaceChildren(labelBars(countLabels(tallies, abouts))))
      .catch(report);
  });
  return [
    ...(choice ? [section("Whose images", choice)] : []),
    section("Labels of its images", labels),
    section("Images in this region", list),
  ];
}

function head(area: Area, { samples, cells, drawn }: Region, actions: RegionActions): HTMLElement {
  const { top, left, bottom, right, size } = area.bounds;
  const within = area.isBox ? "" : "within ";
  const place = `${within}${from("row", top, bottom)}, ${from("column", left, right)} of ${size}`;
  const filled = `in ${count(cells.length, "cell")}${drawn < cells.length ? `, ${drawn} of them drawn` : ""}`;
  const told = cells.length === drawn && drawn === area.places ? "" : ` ${filled}`;
  return el(
    "header",
    {},
    button("Close the panel", drawing("M5 5 15 15", "M15 5 5 15"), actions.close, "quiet close"),
    addButton(actions.add),
    el("h2", {}, extent(area)),
    el("p", { class: "fine" }, `${count(samples, "sample")}${told}`),
    el("p", { class: "fine" }, place),
  );
}

function from(name: string, first: number, last: number): string {
  return first === last ? `${name} ${first + 1}` : `${name}s ${first + 1}–${last + 1}`;
}
