// What the panel says of a cell beyond itself: cells like it, its relatives at other layers, the images it comes from.

import { Area, type CellAddress } from "../data/area";
import { decimal } from "../data/format";
import { imageSources } from "../data/images";
import type { Manifest } from "../data/manifest";
import { loadNeighbours, loadRelatives, type Neighbour } from "../data/related-cells";
import type { Scene } from "../state/scene";
import { section } from "../ui/controls";
import { el, whenSeen } from "../ui/dom";
import { addressOf, cellButton, cellName } from "../ui/icons";
import { partImages } from "./image-list";
import { type Follow, relativeRows } from "./other-layers";
import { copyable, provenanceCommand } from "./provenance";

interface Actions {
  readonly follow: Follow;
  report(error: unknown): void;
}

const FEW = 4; // layers whose cells are loaded unasked

/** Sections that fill themselves as their data arrive. */
export function cellSections(
  manifest: Manifest,
  scene: Scene,
  cell: number,
  actions: Actions,
): HTMLElement[] {
  const address = addressOf({ level: scene.level, cell });
  const command = provenanceCommand(scene.layer.name, scene.atlas.name, address);
  return [
    section("Most alike to the network", alike(manifest, scene, cell, actions)),
    ...(manifest.layers.length > 1
      ? [section("The same samples at other layers", elsewhere(manifest, scene, cell, actions))]
      : []),
    ...images(manifest, scene, address, actions),
    section("Where it comes from, told in a terminal", copyable(command)),
  ];
}

function images(manifest: Manifest, scene: Scene, cell: CellAddress, { report }: Actions): HTMLElement[] {
  const sources = imageSources(manifest, scene);
  if (!sources.length) return [];
  const { size, row, column } = cell;
  const here = Area.box({ size, top: row, left: column, bottom: row, right: column });
  const { choice, list } = partImages(sources, here, report);
  return [section("Images in this cell", ...(choice ? [choice] : []), list)];
}

/** Where its samples lie at every other layer; of many layers only once somebody looks. */
function elsewhere(manifest: Manifest, scene: Scene, cell: number, { follow, report }: Actions): HTMLElement {
  const found = el("div", {}, el("div", { class: "waiting" }));
  const load = (): void => {
    loadRelatives(manifest, scene, cell).then(
      (relatives) => found.replaceChildren(relativeRows(manifest.network.classes, relatives, follow)),
      report,
    );
  };
  if (manifest.layers.length > FEW) whenSeen(found, load);
  else load();
  return found;
}

/** The most similar cells of the level, each of which leads to its place. */
function alike(manifest: Manifest, scene: Scene, cell: number, { follow, report }: Actions): HTMLElement {
  const found = el("div", { class: "alike" }, el("div", { class: "waiting" }));
  const { atlas, level } = scene;
  const fill = (neighbours: Neighbour[]): void => {
    const buttons = neighbours.map((neighbour) => {
      const shown = { layer: scene.layer.name, atlas, level, cell: neighbour.cell };
      const label = `${cellName(manifest.network.classes, shown)}; cosine ${decimal(neighbour.cosine)}`;
      const go = (): void => follow(shown.layer, addressOf(shown));
      return cellButton(shown, decimal(neighbour.cosine), label, go);
    });
    if (buttons.length) found.replaceChildren(...buttons);
    else found.replaceChildren(el("p", { class: "nothing" }, "No other cell of this level is drawn."));
  };
  loadNeighbours(scene, cell).then(fill, report);
  return found;
}
