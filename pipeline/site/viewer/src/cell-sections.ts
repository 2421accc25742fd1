// What the panel says of a cell beyond itself: its relatives at other layers, and the images it comes from.

import { el } from "./dom";
import { imageSources } from "./image-source";
import { loadRelatives } from "./links";
import { copyable, provenanceCommand } from "./made";
import type { Manifest } from "./manifest";
import { partImages } from "./part-images";
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
  const sections: HTMLElement[] = [];
  if (manifest.layers.length > 1) {
    const found = el("div", { class: "waiting" });
    sections.push(section("The same samples at other layers", found));
    loadRelatives(manifest, scene, cell).then(
      (relatives) => found.replaceWith(relativeRows(manifest.network.classes, relatives, actions.follow)),
      actions.report,
    );
  }
  const { level } = scene;
  const [row, column] = [level.row(cell), level.column(cell)];
  const command = provenanceCommand(scene.layer.name, scene.atlas.name, { size: level.size, row, column });
  const origin = section("Where it comes from, told in a terminal", copyable(command));
  const sources = imageSources(manifest, scene);
  if (!sources.length) return [...sections, origin];
  const box = { size: level.size, top: row, left: column, bottom: row, right: column };
  const { choice, list } = partImages(sources, box, actions.report);
  sections.push(section("Images in this cell", ...(choice ? [choice] : []), list));
  return [...sections, origin];
}
