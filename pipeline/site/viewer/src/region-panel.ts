// The panel of a selected region.

import { loadAbout } from "./about";
import { bars } from "./bars";
import { button, drawing, el } from "./dom";
import { count } from "./format";
import { imageList } from "./image-list";
import { countLabels, labelBars } from "./labels";
import type { Manifest } from "./manifest";
import { loadMembers, type Tally } from "./members";
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
  const labels = el("div", { class: "waiting" });
  const images = el("div", { class: "waiting" });
  panel.append(
    section(
      "What it speaks for",
      bars(manifest.network.classes, found.classes, chosen, actions.choose),
      el("p", { class: "fine" }, ABOUT_CLASSES),
    ),
  );
  if (!manifest.exemplars) return panel;
  panel.append(section("Labels of its images", labels), section("Images in this region", images));
  loadMembers(scene.layer.name, scene.atlas, box)
    .then((tallies) => fill(manifest, tallies, labels, images, actions))
    .catch(actions.report);
  return panel;
}

async function fill(
  manifest: Manifest,
  tallies: readonly Tally[],
  labels: HTMLElement,
  images: HTMLElement,
  actions: RegionActions,
): Promise<void> {
  images.replaceWith(imageList(manifest, tallies, actions.report));
  const rows = tallies.map(({ image }) => image);
  labels.replaceWith(labelBars(countLabels(tallies, await loadAbout(manifest, rows))));
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
