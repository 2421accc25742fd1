// Further sections of the cell panel: similar cells, cells of other layers, images, provenance.

import { Area, type CellAddress } from "../data/area";
import { decimal } from "../data/format";
import { listImageSources } from "../data/images";
import type { Manifest } from "../data/manifest";
import { loadLayerCells, loadSimilarCells, type SimilarCell } from "../data/related-cells";
import type { Scene } from "../state/scene";
import { createSection } from "../ui/controls";
import { el, whenVisible } from "../ui/dom";
import { addressOf, cellName, createCellButton } from "../ui/icons";
import { createImageSection } from "./image-list";
import { createLayerRows, type FollowCell } from "./other-layers";
import { createCopyableText, provenanceCommand } from "./provenance";

interface SectionActions {
  readonly follow: FollowCell;
  reportError(error: unknown): void;
}

const MAX_EAGER_LAYERS = 4; // layers whose cells are loaded immediately

/** Sections that are filled when their data are loaded. */
export function cellSections(
  manifest: Manifest,
  scene: Scene,
  cell: number,
  actions: SectionActions,
): HTMLElement[] {
  const address = addressOf({ level: scene.level, cell });
  const command = provenanceCommand(scene.layer.name, scene.atlas, address);
  return [
    createSection("Most similar cells", createSimilarCells(manifest, scene, cell, actions)),
    ...(manifest.layers.length > 1
      ? [createSection("Same samples at other layers", createOtherLayers(manifest, scene, cell, actions))]
      : []),
    ...createImages(manifest, scene, address, actions),
    createSection("Provenance command", createCopyableText(command)),
  ];
}

function createImages(
  manifest: Manifest,
  scene: Scene,
  cell: CellAddress,
  { reportError }: SectionActions,
): HTMLElement[] {
  const sources = listImageSources(manifest, scene);
  if (!sources.length) return [];
  const { size, row, column } = cell;
  const here = Area.box({ size, top: row, left: column, bottom: row, right: column });
  const { choice, list } = createImageSection(sources, here, reportError);
  return [createSection("Images in this cell", ...(choice ? [choice] : []), list)];
}

/** Where its samples lie at every other layer; for many layers loaded when visible. */
function createOtherLayers(
  manifest: Manifest,
  scene: Scene,
  cell: number,
  { follow, reportError }: SectionActions,
): HTMLElement {
  const found = el("div", {}, el("div", { class: "loading" }));
  const load = (): void => {
    loadLayerCells(manifest, scene, cell).then(
      (layerCells) => found.replaceChildren(createLayerRows(manifest.network.classes, layerCells, follow)),
      reportError,
    );
  };
  if (manifest.layers.length > MAX_EAGER_LAYERS) whenVisible(found, load);
  else load();
  return found;
}

/** Most similar cells of the level; each is a link to its position. */
function createSimilarCells(
  manifest: Manifest,
  scene: Scene,
  cell: number,
  { follow, reportError }: SectionActions,
): HTMLElement {
  const found = el("div", { class: "similar-cells" }, el("div", { class: "loading" }));
  const { atlas, level } = scene;
  const fill = (similarCells: SimilarCell[]): void => {
    const buttons = similarCells.map((similarCell) => {
      const view = { layer: scene.layer.name, atlas, level, cell: similarCell.cell };
      const label = `${cellName(manifest.network.classes, view)}; cosine ${decimal(similarCell.cosine)}`;
      const go = (): void => follow(view.layer, addressOf(view));
      return createCellButton(view, decimal(similarCell.cosine), label, go);
    });
    if (buttons.length) found.replaceChildren(...buttons);
    else found.replaceChildren(el("p", { class: "empty" }, "No other cell of this level has an icon."));
  };
  loadSimilarCells(scene, cell).then(fill, reportError);
  return found;
}
