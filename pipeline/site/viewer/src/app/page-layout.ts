// Page layout below the header: the panes with the maps, and the corner with minimap and caption.

import type { MapView } from "../map/map-view";
import { createButton, createSvgIcon, el } from "../ui/dom";

export interface PageLayout {
  /** Everything below the header; overlays are placed in it. */
  readonly page: HTMLElement;
  /** The element of the first map; the second pane follows it. */
  readonly firstPane: HTMLElement;
  readonly corner: HTMLElement;
  readonly minimap: HTMLElement;
}

export function createPageLayout(): PageLayout {
  const [minimap, firstPane] = [el("div"), el("div", { class: "pane" })];
  const panes = el("div", { class: "panes" }, firstPane);
  const minimapBox = el("div", { class: "minimap", "aria-hidden": "true" }, minimap);
  const corner = el("div", { class: "corner" }, minimapBox);
  return { page: el("main", { class: "map-area" }, panes, corner), firstPane, corner, minimap };
}

// Toolbar and zoom buttons.

export function createTools(...buttons: readonly HTMLElement[]): HTMLElement {
  return el("div", { class: "tools" }, ...buttons);
}

export function createHelpButton(dialog: HTMLDialogElement): HTMLElement {
  const mark = createSvgIcon("M7.4 7.6a2.7 2.7 0 1 1 3.9 2.5c-.9.5-1.3 1-1.3 2.1", "M10 15.2v.1");
  return createButton("Help", mark, () => dialog.showModal());
}

/** Link to the evidence page. */
export function createEvidenceLink(): HTMLElement {
  const name = "Evidence";
  const content = createSvgIcon("M3.5 3.5v13h13", "M6.8 13.2 9.6 9.4l2.6 2 4-5.6");
  return el("a", { class: "icon-button", href: "evidence.html", "aria-label": name, title: name }, content);
}

export function createZoomButtons(mapView: MapView, home: () => void): HTMLElement {
  const frame = createSvgIcon("M4 8V4h4", "M12 4h4v4", "M16 12v4h-4", "M8 16H4v-4");
  return el(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    createButton("Zoom in", createSvgIcon("M10 4v12", "M4 10h12"), () => mapView.zoom(1)),
    createButton("Zoom out", createSvgIcon("M4 10h12"), () => mapView.zoom(-1)),
    createButton("Show the whole atlas", frame, home),
  );
}
