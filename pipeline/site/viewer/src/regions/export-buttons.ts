// What can be taken along of a region: its link, its tables, its picture.

import type { Area } from "../data/area";
import { count } from "../data/format";
import type { ImageSource } from "../data/images";
import { atlasName, type Manifest } from "../data/manifest";
import { isReadable, isRefusal, tileUnder } from "../data/tiles";
import { encode } from "../state/area-code";
import type { Scene } from "../state/scene";
import { announce } from "../ui/accessibility";
import { el } from "../ui/dom";
import { type Ink, picture } from "./export-image";
import { cellsTable, download, imagesTable } from "./export-tables";
import { cellsIn, extent, type Region } from "./region";

const SAID_MS = 1800;
const REFUSED =
  "This page was opened from disk, and browsers let such a page show its pictures but not read them. Open the atlas " +
  "with “atlas browse”, or from a web host, to save a PNG.";

interface Act {
  readonly face: string;
  readonly title: string;
  /** What the button says when it is done. */
  readonly done: string;
  work(): Promise<void>;
}

/** A row of buttons, and below it what there is to know about one of them. */
export function exportButtons(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  { cells, drawn }: Region,
  source: ImageSource | null,
): HTMLElement {
  const known = linkNote(scene, area, cells.length);
  const note = el("p", { class: "fine", "aria-live": "polite" }, known);
  const row = el("div", { class: "take", role: "group", "aria-label": "Take the region along" });
  const add = (act: Act): HTMLButtonElement => {
    const press = pressable(act, (text) => note.replaceChildren(text || known));
    row.append(press);
    return press;
  };
  if (navigator.clipboard) add(COPY);
  for (const act of tables(manifest, scene, area, cells, source)) add(act);
  if (!drawn) return el("div", { class: "taking" }, row, note);
  const press = add(png(manifest, scene, area));
  const tile = tileUnder(scene, cells);
  if (tile)
    isReadable(tile).then(
      (may) => may || refuse(press),
      () => {},
    ); // a tile that fails says so when saved
  return el("div", { class: "taking" }, row, note);
}

const COPY: Act = {
  face: "Copy link",
  title: "Copy the link to this selection",
  done: "Copied",
  work: () => navigator.clipboard.writeText(location.href),
};

function tables(
  manifest: Manifest,
  scene: Scene,
  area: Area,
  cells: readonly number[],
  source: ImageSource | null,
): Act[] {
  const act = (face: string, title: string, name: string, table: () => Promise<string>): Act => ({
    face,
    title,
    done: "Saved",
    work: async () => download(new Blob([await table()], { type: "text/csv" }), `${stem(scene)}-${name}.csv`),
  });
  const found = [
    act("Cells CSV", "Save its cells as CSV", "cells", () => cellsTable(manifest, scene, cells)),
  ];
  if (source) {
    const table = (): Promise<string> => imagesTable(scene, area, source);
    found.push(act("Images CSV", "Save the list of its images as CSV", "images", table));
  }
  return found;
}

function png(manifest: Manifest, scene: Scene, area: Area): Act {
  const work = async (): Promise<void> =>
    download(await picture(scene, area, caption(manifest, scene, area), ink()), `${stem(scene)}-cells.png`);
  return { face: "PNG", title: "Save its icons as PNG", done: "Saved", work };
}

function stem({ layer, atlas, level }: Scene): string {
  return [layer.name, atlas.name, level.size].join("-");
}

/** A button that works, says that it is done, and tells why where it cannot be. */
function pressable({ face, title, done, work }: Act, tell: (text: string) => void): HTMLButtonElement {
  const press = el("button", { type: "button", title }, face);
  press.addEventListener("click", () => {
    tell(press.dataset.refused ? REFUSED : "");
    if (press.dataset.refused) return;
    work().then(
      () => {
        announce(`${title}: ${done.toLowerCase()}.`);
        press.textContent = done;
        setTimeout(() => {
          press.textContent = face;
        }, SAID_MS);
      },
      (error) => {
        if (isRefusal(error)) refuse(press);
        tell(isRefusal(error) ? REFUSED : error instanceof Error ? error.message : String(error));
      },
    );
  });
  return press;
}

function refuse(press: HTMLButtonElement): void {
  press.textContent = "No PNG from disk";
  press.dataset.refused = "true";
  press.title = REFUSED;
}

/** What the link says other than the selection, where that is too ragged for it. */
function linkNote({ level }: Scene, area: Area, cells: number): string {
  const held = encode(area).area;
  if (held === area) return "";
  const more = cellsIn(level, held).length - cells;
  return `The link holds a simplified shape, with ${more ? `${count(more, "cell")} more` : "the same cells"}.`;
}

function caption(manifest: Manifest, { layer, atlas, level }: Scene, area: Area): string {
  const part = `${extent(area)} of ${level.size} × ${level.size}`;
  return [manifest.network.name, layer.name, atlasName(manifest, atlas), part].join(" · ");
}

function ink(): Ink {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return { paper: colour("--paper"), soft: colour("--soft"), font: colour("--serif") };
}
