// Export of a region: tables, image.

import type { Area } from "../data/area";
import { count } from "../data/format";
import { notableStyle } from "../data/icon-styles";
import type { ImageSource } from "../data/images";
import { atlasName, type Manifest } from "../data/manifest";
import { firstTile, isReadable, isSecurityError } from "../data/tiles";
import { encodeArea } from "../state/area-code";
import type { Scene } from "../state/scene";
import { announce } from "../ui/accessibility";
import { el } from "../ui/dom";
import { type ExportColors, renderRegion } from "./export-image";
import { createCellsTable, createImagesTable, download } from "./export-tables";
import { cellsInArea, describeExtent, type Region } from "./region";

const DONE_MS = 1800;
const PNG_UNAVAILABLE =
  "This page was opened from disk: browsers do not let such a page read the pixels of its images, and this site stores " +
  "no copies that it may read (site.png_from_disk=false). Open the atlas with “atlas browse”, or from a web host, to save " +
  "a PNG.";

interface ExportAction {
  readonly text: string;
  readonly title: string;
  /** Label of the button when done. */
  readonly done: string;
  run(): Promise<void>;
}

/** Row of buttons with a note below. */
export function createExportButtons(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  { cells, drawn }: Region,
  source: ImageSource | null,
): HTMLElement {
  const linkText = linkNote(scene, area, cells.length);
  const note = el("p", { class: "secondary", "aria-live": "polite" }, linkText);
  const row = el("div", { class: "export-buttons", role: "group", "aria-label": "Export the region" });
  const add = (createTableAction: ExportAction): HTMLButtonElement => {
    const button = createActionButton(createTableAction, (text) => note.replaceChildren(text || linkText));
    row.append(button);
    return button;
  };
  for (const createTableAction of tableActions(manifest, scene, area, cells, source)) add(createTableAction);
  if (!drawn) return el("div", { class: "exports" }, row, note);
  const button = add(createPngAction(manifest, scene, area));
  const tile = firstTile(scene, cells);
  if (tile)
    isReadable(manifest, tile).then(
      (readable) => readable || disablePng(button),
      () => {},
    ); // a tile that fails is reported when saving
  return el("div", { class: "exports" }, row, note);
}

function tableActions(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  cells: readonly number[],
  source: ImageSource | null,
): ExportAction[] {
  const createTableAction = (
    text: string,
    title: string,
    name: string,
    table: () => Promise<string>,
  ): ExportAction => ({
    text,
    title,
    done: "Saved",
    run: async () =>
      download(new Blob([await table()], { type: "text/csv" }), `${fileStem(scene)}-${name}.csv`),
  });
  const found = [
    createTableAction("Cells CSV", "Save the cells as CSV", "cells", () =>
      createCellsTable(manifest, scene, cells),
    ),
  ];
  if (source) {
    const table = (): Promise<string> => createImagesTable(scene, area, source);
    found.push(createTableAction("Images CSV", "Save the list of images as CSV", "images", table));
  }
  return found;
}

function createPngAction(manifest: Manifest, scene: Scene, area: Area): ExportAction {
  const run = async (): Promise<void> =>
    download(
      await renderRegion(manifest, scene, area, caption(manifest, scene, area), exportColors()),
      `${fileStem(scene)}-cells.png`,
    );
  return {
    text: "PNG",
    title: scene.photographs ? "Save the photographs as PNG" : "Save the icons as PNG",
    done: "Saved",
    run,
  };
}

function fileStem({ layer, atlas, level }: Scene): string {
  return [layer.name, atlas.name, level.size, ...(atlas.style ? [atlas.style] : [])].join("-");
}

/** Button that runs an action and shows its success, or why it is not available. */
function createActionButton(
  { text, title, done, run }: ExportAction,
  showNote: (text: string) => void,
): HTMLButtonElement {
  const button = el("button", { type: "button", title }, text);
  button.addEventListener("click", () => {
    showNote(button.dataset.unavailable ? PNG_UNAVAILABLE : "");
    if (button.dataset.unavailable) return;
    run().then(
      () => {
        announce(`${title}: ${done.toLowerCase()}.`);
        button.textContent = done;
        setTimeout(() => {
          button.textContent = text;
        }, DONE_MS);
      },
      (error) => {
        if (isSecurityError(error)) disablePng(button);
        showNote(
          isSecurityError(error) ? PNG_UNAVAILABLE : error instanceof Error ? error.message : String(error),
        );
      },
    );
  });
  return button;
}

function disablePng(button: HTMLButtonElement): void {
  button.textContent = "No PNG from disk";
  button.dataset.unavailable = "true";
  button.title = PNG_UNAVAILABLE;
}

/** Note if the link contains a simplified shape. */
function linkNote({ level }: Scene, area: Area, cells: number): string {
  const held = encodeArea(area).area;
  if (held === area) return "";
  const more = cellsInArea(level, held).length - cells;
  return `The link contains a simplified shape, with ${more ? `${count(more, "cell")} more` : "the same cells"}.`;
}

function caption(manifest: Manifest, { layer, atlas, level, photographs }: Scene, area: Area): string {
  const part = `${describeExtent(area)} of ${level.size} × ${level.size}`;
  const style = notableStyle(atlas);
  const names = [manifest.network.name, layer.name, atlasName(manifest, atlas), part];
  const shown = photographs ? ["photographs"] : style ? [`${style} icons`] : [];
  return [...names, ...shown].join(" · ");
}

function exportColors(): ExportColors {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return { background: color("--background"), muted: color("--muted"), font: color("--serif") };
}
