// The room below the masthead: the wall that pictures hang on, and the corner with the minimap and the wall label.

import { el } from "./dom";

export interface Gallery {
  /** Everything below the masthead; what stands before the pictures is placed in it. */
  readonly page: HTMLElement;
  /** Where pictures hang, each in an element of its own. */
  readonly wall: HTMLElement;
  /** The element of the first picture. */
  readonly place: HTMLElement;
  readonly corner: HTMLElement;
  readonly minimap: HTMLElement;
}

export function gallery(): Gallery {
  const [minimap, place] = [el("div"), newPlace()];
  const wall = el("div", { class: "wall" }, place);
  const map = el("div", { class: "minimap", "aria-hidden": "true" }, minimap);
  const corner = el("div", { class: "corner" }, map);
  return { page: el("main", { class: "stage" }, wall, corner), wall, place, corner, minimap };
}

/** The element that a picture fills. */
export function newPlace(): HTMLElement {
  return el("div", { class: "pane" });
}
