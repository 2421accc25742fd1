// What stands around the picture: tools, zoom buttons, and the picture's own name.

import { button, drawing, el } from "./dom";
import type { Picture } from "./picture";

export function tools(...buttons: readonly HTMLElement[]): HTMLElement {
  return el("div", { class: "tools" }, ...buttons);
}

export function helpButton(dialog: HTMLDialogElement): HTMLElement {
  const mark = drawing("M7.4 7.6a2.7 2.7 0 1 1 3.9 2.5c-.9.5-1.3 1-1.3 2.1", "M10 15.2v.1");
  return button("Help", mark, () => dialog.showModal());
}

/** The way to the page that says what attributions foretell. */
export function evidenceLink(): HTMLElement {
  const name = "Evidence";
  const face = drawing("M3.5 3.5v13h13", "M6.8 13.2 9.6 9.4l2.6 2 4-5.6");
  return el("a", { class: "quiet", href: "evidence.html", "aria-label": name, title: name }, face);
}

export function zoomButtons(picture: Picture): HTMLElement {
  const frame = drawing("M4 8V4h4", "M12 4h4v4", "M16 12v4h-4", "M8 16H4v-4");
  return el(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    button("Zoom in", drawing("M10 4v12", "M4 10h12"), () => picture.zoom(1)),
    button("Zoom out", drawing("M4 10h12"), () => picture.zoom(-1)),
    button("Show the whole atlas", frame, () => picture.go(null)),
  );
}

/** Tell screen readers what the picture is and how to move in it. */
export function namePicture(canvas: Element, name = "Activation atlas"): void {
  canvas.setAttribute("role", "application");
  canvas.setAttribute("tabindex", "0");
  canvas.setAttribute(
    "aria-label",
    `${name}. Arrow keys move from cell to cell, Enter pins a cell, plus and minus zoom, ` +
      "question mark lists all keys.",
  );
}

/** A line at the foot of the page for what went wrong. */
export function showFailure(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  document.querySelector(".failure")?.remove();
  document.body.append(el("p", { class: "failure", role: "alert" }, text));
}
