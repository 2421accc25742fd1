// Page of the syntheses: pictures that are made from images and from cells of the atlas, by several methods.

import { takeData } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { SYNTHESIS_NAMES } from "../data/syntheses";
import { announce, announcementRegion } from "../ui/accessibility";
import { el } from "../ui/dom";
import { createPageHeader, showFailure } from "../ui/page";
import { PictureDialog } from "./picture-dialog";
import { fromHash, loadSheet, type Place, pictureName, type Selection, type Sheet, toHash } from "./result";
import { createSheet } from "./sheet";

const TITLE = "Syntheses";

class Page {
  private readonly sheetElement = el("section", { class: "sheet-of-method", "aria-live": "off" });
  private readonly tabs: readonly HTMLAnchorElement[];
  private readonly dialog: PictureDialog;
  private sheet: Sheet | null = null;
  /** What was shown before; null at the beginning. */
  private before: Selection | null = null;
  /** Whether the entry before this one in the history is the sheet without the picture. */
  private openedHere = false;

  constructor(private readonly manifest: Manifest) {
    this.tabs = manifest.synthesize.map((method) =>
      el("a", { href: toHash({ method, picture: null }) }, SYNTHESIS_NAMES[method]),
    );
    this.dialog = new PictureDialog({
      go: (picture) => this.replace({ ...this.selection, picture }),
      closed: () => this.leavePicture(),
    });
    addEventListener("hashchange", () => this.update());
  }

  start(): void {
    const { synthesize, network, title } = this.manifest;
    const lead = `What ${network.name} makes of images, and of the cells of its atlas.`;
    const content = synthesize.length
      ? [
          el("p", { class: "lead" }, lead),
          ...(synthesize.length > 1
            ? [el("nav", { class: "tabs", "aria-label": "Methods" }, ...this.tabs)]
            : []),
          this.sheetElement,
        ]
      : [createAdvice()];
    const main = el("main", {}, el("h1", {}, TITLE), ...content);
    document.body.append(createPageHeader(title), main, this.dialog.dialog, announcementRegion());
    this.update();
  }

  private get selection(): Selection {
    return fromHash(location.hash, this.manifest.synthesize);
  }

  private update(): void {
    this.show().catch(showFailure);
  }

  private async show(): Promise<void> {
    const { dataset } = document.documentElement;
    delete dataset.ready;
    const { selection } = this;
    const { method, picture } = selection;
    if (!method) {
      dataset.ready = "synthesize";
      return;
    }
    const sheet = await loadSheet(method);
    if (toHash(selection) !== toHash(this.selection)) return;
    if (this.sheet !== sheet) this.showSheet(sheet);
    const { before } = this;
    this.before = selection;
    this.openedHere = picture !== null && (before?.picture ? this.openedHere : before?.method === method);
    this.showPicture(sheet, picture, before);
    dataset.ready = picture
      ? `synthesize/${method}/${picture.row}-${picture.column}`
      : `synthesize/${method}`;
  }

  private showSheet(sheet: Sheet): void {
    const changed = this.sheet !== null;
    this.sheet = sheet;
    this.sheetElement.replaceChildren(...createSheet(sheet));
    for (const tab of this.tabs) {
      if (tab.hash === toHash({ method: sheet.method, picture: null }))
        tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    if (changed) announce(SYNTHESIS_NAMES[sheet.method]);
  }

  private showPicture(sheet: Sheet, picture: Place | null, before: Selection | null): void {
    const name = SYNTHESIS_NAMES[sheet.method];
    const parts = [name, TITLE, this.manifest.title];
    this.sheetElement.querySelector("[role=alert]")?.remove();
    if (!picture) {
      this.dialog.hide();
      if (before?.picture) this.linkTo(before)?.focus();
    } else if (this.dialog.show(sheet, picture)) {
      parts.unshift(pictureName(sheet, picture));
    } else {
      this.dialog.hide();
      const { row, column } = picture;
      const text = `There is no picture in row ${row}, column ${column}, counted from 0.`;
      this.sheetElement.prepend(el("p", { class: "lead", role: "alert" }, text));
    }
    document.title = parts.join(" · ");
  }

  private linkTo(selection: Selection): HTMLElement | null {
    return this.sheetElement.querySelector<HTMLElement>(`a[href="${toHash(selection)}"]`);
  }

  /** Back to the sheet: by the history where the picture was opened from there, so that Back does not show it again. */
  private leavePicture(): void {
    if (this.openedHere) history.back();
    else this.replace({ ...this.selection, picture: null });
  }

  private replace(selection: Selection): void {
    history.replaceState(null, "", toHash(selection));
    this.update();
  }
}

function createAdvice(): HTMLElement {
  return el(
    "p",
    { class: "lead" },
    "This run synthesizes no pictures. Choose some methods and run it again, for example ",
    el("code", {}, "atlas run 'synthesize.methods=[deep_dream,inversion]'"),
    ".",
  );
}

new Page(takeData("manifest") as Manifest).start();
