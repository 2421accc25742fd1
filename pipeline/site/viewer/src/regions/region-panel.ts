// Panel of a selected region.

import { createClassBars } from "../classes/class-bars";
import type { Area } from "../data/area";
import { type Exemplar, loadExemplars, pickDistinct, sampleEvenly } from "../data/exemplars";
import { count } from "../data/format";
import { type ImageCount, type ImageSource, listImageSources } from "../data/images";
import type { Manifest } from "../data/manifest";
import { isRecorded, notRecorded } from "../data/recorded";
import { createExemplarPatches } from "../panels/exemplar-patches";
import { countLabels, createImageSection, createLabelBars } from "../panels/image-list";
import type { Scene } from "../state/scene";
import { createSection } from "../ui/controls";
import { createCloseButton, el } from "../ui/dom";
import { createExportButtons } from "./export-buttons";
import { createRegionNumbers, describeExtent, type Region, summarizeRegion } from "./region";
import { createAddButton } from "./region-tool";

export interface RegionActions {
  close(): void;
  /** Activate the lasso to add to the region. */
  add(): void;
  choose(classId: number, add: boolean): void;
  reportError(error: unknown): void;
}

const ABOUT_CLASSES =
  "Mean attribution of the cells, weighted by samples. Each cell lists only its top classes; a class " +
  "counts as 0 in cells that do not list it.";

/** The panel; `area` is in cells of the scene's level. Images are filled in when they are loaded. */
export function createRegionPanel(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  actions: RegionActions,
): HTMLElement {
  const found = summarizeRegion(scene.level, area);
  const selectedClass = scene.heatmap?.classId ?? null;
  const panel = el("section", { class: "panel region", "aria-label": "Selected region", tabindex: "-1" });
  panel.append(createHeader(area, found, actions));
  if (!found.samples) {
    panel.append(el("p", { class: "section empty" }, "No samples here."));
    return panel;
  }
  const sources = listImageSources(manifest, scene);
  panel.append(
    createExportButtons(manifest, scene, area, found, sources[0] ?? null),
    isRecorded(manifest, "attributions")
      ? createSection(
          "Top classes (mean attribution)",
          createClassBars(
            manifest.network.classes,
            found.classes,
            selectedClass,
            actions.choose,
            scene.highlights,
          ),
          el("p", { class: "secondary" }, ABOUT_CLASSES),
        )
      : el("p", { class: "section empty" }, notRecorded("Class attributions were", "attributions")),
    ...(manifest.exemplars ? [createExemplarSection(manifest, scene, found, actions)] : []),
    createSection("Quality of the icons", createRegionNumbers(found)),
    ...createImageSections(sources, area, actions),
  );
  return panel;
}

/** As many patches as a cell has, sampled evenly. */
function createExemplarSection(
  manifest: Manifest,
  scene: Scene,
  { cells }: Region,
  { reportError }: RegionActions,
): HTMLElement {
  const list = el("div", { class: "exemplars" }, el("div", { class: "loading" }));
  const parts = manifest.exemplars;
  const selectedClass = sampleEvenly(scene.level, cells, parts);
  const load = async (cell: number): Promise<[number, Exemplar[]]> => [
    cell,
    await loadExemplars(manifest, scene.layer, scene.level, cell),
  ];
  Promise.all([...new Set(selectedClass)].map(load)).then((loaded) => {
    const ranked = new Map(loaded);
    const found = pickDistinct(
      selectedClass,
      parts,
      (cell) => ranked.get(cell) ?? [],
      ({ url }) => url,
    );
    list.replaceChildren(...createExemplarPatches(manifest, scene.layer, found));
  }, reportError);
  return createSection("Example patches", list);
}

/** Labels and images of a region, if an image set can be listed; filled in when they are loaded. */
function createImageSections(
  sources: readonly ImageSource[],
  area: Area,
  { reportError }: RegionActions,
): HTMLElement[] {
  if (!sources.length) return [];
  const labels = el("div", {}, el("div", { class: "loading" }));
  let latest: readonly ImageCount[] = [];
  const { choice, list } = createImageSection(sources, area, reportError, (source, imageCounts) => {
    latest = imageCounts;
    if (!imageCounts.length) labels.replaceChildren(el("p", { class: "empty" }, "There are none."));
    if (!imageCounts.length) return;
    source
      .loadInfo(imageCounts.map(({ image }) => image))
      .then(
        (infos) =>
          latest === imageCounts && labels.replaceChildren(createLabelBars(countLabels(imageCounts, infos))),
      )
      .catch(reportError);
  });
  return [
    ...(choice ? [createSection("Image set", choice)] : []),
    createSection("Labels of the images", labels),
    createSection("Images in this region", list),
  ];
}

function createHeader(area: Area, { samples, cells, drawn }: Region, actions: RegionActions): HTMLElement {
  const { top, left, bottom, right, size } = area.bounds;
  const within = area.isBox ? "" : "within ";
  const position = `${within}${from("row", top, bottom)}, ${from("column", left, right)} of ${size}`;
  const cellText = `in ${count(cells.length, "cell")}${drawn < cells.length ? `, ${drawn} with an icon` : ""}`;
  const cellCount = cells.length === drawn && drawn === area.positions ? "" : ` ${cellText}`;
  return el(
    "header",
    {},
    createCloseButton("Close panel", actions.close, "icon-button close"),
    createAddButton(actions.add),
    el("h2", {}, describeExtent(area)),
    el("p", { class: "secondary" }, `${count(samples, "sample")}${cellCount}`),
    el("p", { class: "secondary" }, position),
  );
}

function from(name: string, first: number, last: number): string {
  return first === last ? `${name} ${first}` : `${name}s ${first}–${last}`;
}
