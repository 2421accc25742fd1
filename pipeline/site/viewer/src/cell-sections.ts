// What the panel says of a cell beyond itself: its relatives at other layers, and the images it comes from.

import { el } from "./dom";
import { imageList } from "./image-list";
import { loadRelatives } from "./links";
import type { Manifest } from "./manifest";
import { loadMembers } from "./members";
import { type Follow, relativeRows } from "./relatives";
import type { Scene } from "./scene";
import { section } from "./section";

/** Sections that fill themselves as their data arrive. */
export function cellSections(
  manifest: Manifest,
  scene: Scene,
  cell: number,
  actions: { follow: Follow; report(error: unknown): void },
): HTMLElement[] {
  const { level, layer, atlas } = scene;
  const sections: HTMLElement[] = [];
  if (manifest.layers.length > 1) {
    const found = el("div", { class: "waiting" });
    sections.push(section("The same samples at other layers", found));
    loadRelatives(manifest, scene, cell).then(
      (relatives) => found.replaceWith(relativeRows(manifest.network.classes, relatives, actions.follow)),
      actions.report,
    );
  }
  if (!manifest.exemplars) return sections;
  const images = el("div", { class: "waiting" });
  sections.push(section("Images in this cell", images));
  const [row, column] = [level.row(cell), level.column(cell)];
  const box = { size: level.size, top: row, left: column, bottom: row, right: column };
  loadMembers(layer.name, atlas, box).then(
    (tallies) => images.replaceWith(imageList(manifest, tallies, actions.report)),
    actions.report,
  );
  return sections;
}
