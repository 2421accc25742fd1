// Going to a place: the page takes over its state, and the picture moves there smoothly.

import { fromHash } from "./link";
import type { Manifest } from "./manifest";
import type { Picture } from "./picture";
import type { Store, View } from "./state";

const PHONE = matchMedia("(max-width: 640px)");
const PANEL = 0.4; // share of a phone's picture that the panel takes during a tour, as the style sheet has it

/** Show what a link describes; `tour` is the step that belongs to it. */
export function fly(
  manifest: Manifest,
  store: Store,
  picture: Picture,
  link: string,
  tour: number | null,
): void {
  const state = fromHash(link, manifest);
  store.set({ ...state, tour, view: store.state.view }); // the view follows when the picture has arrived
  picture.go(state.pin && state.view ? clear(state.view, picture) : state.view);
}

/** The view moved so that its middle is in what panel and tour leave free of a phone's picture. */
function clear(view: View, picture: Picture): View {
  if (!PHONE.matches) return view;
  const { clientWidth: width, clientHeight: height } = picture.viewer.canvas;
  const card = document.querySelector<HTMLElement>(".tour:not([hidden])");
  const top = card ? card.offsetTop + card.offsetHeight : 0;
  const middle = (top + (1 - PANEL) * height) / 2;
  return { ...view, y: view.y + ((height / 2 - middle) * view.span) / Math.min(width, height) };
}
