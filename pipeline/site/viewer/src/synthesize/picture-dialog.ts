// A picture in large, with what is known of it. The arrow keys lead to the others.

import { announce } from "../ui/accessibility";
import { createDialog } from "../ui/controls";
import { createButton, createSvgIcon, el } from "../ui/dom";
import { createCaption, createImage } from "./figure";
import { type Place, pictureAt, pictureFile, pictureName, placesOf, type Sheet } from "./result";

const MAX_SCALE = 3; // relative to the picture's pixels: beyond that there is no more detail

export interface PictureDialogActions {
  /** Show another picture. */
  go(place: Place): void;
  /** It was closed by the user. */
  closed(): void;
}

export class PictureDialog {
  private readonly dialogParts = createDialog("large-picture");
  private readonly previous = createButton("Previous picture", createSvgIcon("m12 4-6 6 6 6"), () =>
    this.step(-1),
  );
  private readonly next = createButton("Next picture", createSvgIcon("m8 4 6 6-6 6"), () => this.step(1));
  private readonly count = el("span", { class: "secondary" });
  private shown: { readonly sheet: Sheet; readonly place: Place } | null = null;

  constructor(private readonly actions: PictureDialogActions) {
    const { dialog } = this;
    dialog.addEventListener("close", () => {
      if (!this.shown) return;
      this.shown = null;
      actions.closed();
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const offset = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (offset === undefined) return;
      event.preventDefault();
      this.step(offset);
    });
  }

  get dialog(): HTMLDialogElement {
    return this.dialogParts.dialog;
  }

  /** Show a picture of the sheet; false where there is none at this place. */
  show(sheet: Sheet, place: Place): boolean {
    const picture = pictureAt(sheet, place);
    if (!picture) return false;
    const { dialog, heading, body } = this.dialogParts;
    const places = placesOf(sheet);
    const index = indexOf(places, place);
    this.shown = { sheet, place };
    heading.textContent = pictureName(sheet, place);
    const image = createImage(sheet, place, picture);
    image.style.maxWidth = `min(100%, ${MAX_SCALE * picture.width}px)`;
    image.style.setProperty("--shape", String(picture.width / picture.height));
    this.count.textContent = `${index + 1} of ${places.length}`;
    this.previous.disabled = index <= 0;
    this.next.disabled = index >= places.length - 1;
    body.replaceChildren(
      el("div", { class: "walk" }, this.previous, this.count, this.next),
      el("div", { class: "frame" }, image),
      el("div", { class: "description" }, ...createDescription(sheet, place)),
    );
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    announce(`${heading.textContent}, picture ${this.count.textContent}`);
    return true;
  }

  /** Close it without telling. */
  hide(): void {
    this.shown = null;
    if (this.dialog.open) this.dialog.close();
  }

  private step(offset: number): void {
    if (!this.shown) return;
    const { sheet, place } = this.shown;
    const places = placesOf(sheet);
    const next = places[indexOf(places, place) + offset];
    if (!next) return;
    const focused = document.activeElement;
    this.actions.go(next);
    // a button that has led to the last picture is disabled, and would lose the focus
    if (focused instanceof HTMLButtonElement && focused.disabled)
      (focused === this.next ? this.previous : this.next).focus();
  }
}

function createDescription(sheet: Sheet, place: Place): HTMLElement[] {
  const picture = pictureAt(sheet, place);
  const [row, column] = [sheet.rows[place.row], sheet.columns[place.column]];
  if (!picture) return [];
  const about = [column?.text, column?.source && `${column.source}.`].filter((text) => text).join(" ");
  const size = `${picture.width} × ${picture.height} pixels`;
  const file = el("a", { href: pictureFile(sheet.method, place) }, "The picture alone");
  const meanings = sheet.measures
    .filter(({ name }) => name in picture.values)
    .map(({ label, text }) => el("div", {}, el("dt", {}, label), el("dd", {}, text)));
  return [
    ...(row?.text ? [el("p", { class: "secondary" }, row.text)] : []),
    ...(about ? [el("p", {}, about)] : []),
    ...createCaption(sheet.measures, picture),
    ...(meanings.length ? [el("dl", { class: "measures" }, ...meanings)] : []),
    el("p", { class: "secondary" }, `${size}. `, file),
  ];
}

function indexOf(places: readonly Place[], { row, column }: Place): number {
  return places.findIndex((one) => one.row === row && one.column === column);
}
