// The panel of a selected region.

import { bars } from "./bars";
import { button, drawing, el } from "./dom";
import { count } from "./format";
import { type ImageSource, imageSources } from "./image-source";
import { countLabels, labelBars } from "./labels";
import type { Manifest } from "./manifest";
import type { Tally } from "./members";
import { partImages } from "./part-images";
import { extent, type Region, region } from "./region";
import type { Scene } from "./scene";
import { section } from "./section";
import type { Box } from "./state";

export interface RegionActions {
  close(): void;
  choose(classId: number): void;
  report(error: unknown): void;
}

const ABOUT_CLASSES =
  "Mean over the region's samples of what their cells list. A cell lists only its strongest classes; a class " +
  "counts as 0 where it is not listed.";

/** The panel; `box` counts in cells of the scene's level. Its images come when they are loaded. */
export function regionPanel(manifest: Manifest, scene: Scene, box: Box, actions: RegionActions): HTMLElement {
  const found = region(scene.level, box);
  const chosen = scene.heat?.classId ?? null;
  const panel = el("section", { class: "panel region", "aria-label": "Selected region", tabindex: "-1" });
  panel.append(head(box, found, actions));
  if (!found.samples) {
    panel.append(el("p", { class: "section nothing" }, "No samples lie here."));
    return panel;
  }
  panel.append(
    section(
      "What it speaks for",
      bars(manifest.network.classes, found.classes, chosen, actions.choose),
      el("p", { class: "fine" }, ABOUT_CLASSES),
    ),
  );
  panel.append(...imageSections(imageSources(manifest, scene), box, actions));
  return panel;
}

/** The labels and the images of a region, where there is a set to list; they come when they are loaded. */
function imageSections(sources: readonly ImageSource[], box: Box, { report }: RegionActions): HTMLElement[] {
  if (!sources.length) return [];
  const labels = el("div", {}, el("div", { class: "waiting" }));
  let latest: readonly Tally[] = [];
  const { choice, list } = partImages(sources, box, report, (source, tallies) => {
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

function head(box: Box, { samples, cells, drawn }: Region, actions: RegionActions): HTMLElement {
  const { top, left, bottom, right, size } = box;
  const place = `rows ${top + 1}–${bottom + 1}, columns ${left + 1}–${right + 1} of ${size}`;
  const filled = `in ${count(cells, "cell")}${drawn < cells ? `, ${drawn} of them drawn` : ""}`;
  return el(
    "header",
    {},
    button("Close the panel", drawing("M5 5 15 15", "M15 5 5 15"), actions.close, "quiet close"),
    el("h2", {}, extent(box)),
    el("p", { class: "fine" }, `${count(samples, "sample")} ${filled}`),
    el("p", { class: "fine" }, place),
  );
}
