// The room below the masthead: the wall that pictures hang on, and the corner with the minimap and the wall label.

import { el } from "./dom";

export interface Gallery {
  /** Everything below the masthead; what stands before the pictures is placed in it. */
  readonly page: HTMLElement;
  /** The element of the first picture; where a second one hangs, it comes after. */
  readonly place: HTMLElement;
  readonly corner: HTMLElement;
  readonly minimap: HTMLElement;
}

export function gallery(): Gallery {
  const [minimap, place] = [el("div"), el("div", { class: "pane" })];
  const wall = el("div", { class: "wall" }, place);
  const map = el("div", { class: "minimap", "aria-hidden": "true" }, minimap);
  const corner = el("div", { class: "corner" }, map);
  return { page: el("main", { class: "stage" }, wall, corner), place, corner, minimap };
}
