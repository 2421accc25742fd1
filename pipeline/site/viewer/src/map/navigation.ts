// Navigation to an atlas, a cell or a link.

import type { CellAddress } from "../data/area";
import { find, type Manifest } from "../data/manifest";
import type { State, Store, View } from "../state/state";
import { fromHash } from "../state/url-hash";
import type { MapView } from "./map-view";

const CELLS_IN_VIEW = 9; // cells in view around the target cell

/** Show another atlas of the same layer as a whole; the grid level is kept if it exists. */
export function openAtlas(
  manifest: Manifest,
  store: Store,
  atlas: string,
  layer = store.state.layer,
  change: Partial<State> = {},
): void {
  const { levels } = find(manifest, layer, atlas).atlas;
  const level = levels.some(({ size }) => size === store.state.level) ? store.state.level : null;
  store.set({ layer, atlas, level, pin: null, selection: null, view: null, ...change });
}

/** Pin a cell of any layer and atlas and center it in the view. */
export function goToCell(
  store: Store,
  layer: string,
  atlas: string,
  cell: CellAddress,
  change: Partial<State> = {},
): void {
  const { size, row, column } = cell;
  const view = { x: (column + 0.5) / size, y: (row + 0.5) / size, span: Math.min(CELLS_IN_VIEW / size, 1) };
  store.set({ layer, atlas, level: size, pin: cell, selection: null, view, ...change });
}

// Go to a link: update the state and animate the map.

const PHONE = matchMedia("(max-width: 640px)");
const AXIS_HEIGHT = 64; // CSS pixels below a comparison
const WITH_MARGIN = 1.08;
const PANEL = 0.4; // share of the map covered by the panel on a phone during a tour, as in the style sheet

/** Show what a link describes; `tour` is its step. */
export function goToLink(
  manifest: Manifest,
  store: Store,
  mapView: MapView,
  link: string,
  tour: number | null,
): void {
  const state = fromHash(link, manifest);
  store.set({ ...state, tour, view: store.state.view }); // the view is updated when the map has arrived
  if (state.pin && state.view) mapView.go(viewClearOfPanel(state.view, mapView));
  else mapView.go(state.view ?? wholeAtlasView(mapView, state.atlas.startsWith("compare")));
}

/** View of the whole atlas, with its axis if it has one, below the tour card; null if no card is shown. */
function wholeAtlasView(mapView: MapView, axis: boolean): View | null {
  const top = tourBottom();
  if (!top) return null;
  const { clientWidth: width, clientHeight: height } = mapView.viewer.canvas;
  const corner = PHONE.matches ? document.querySelector<HTMLElement>(".corner") : null;
  const bottom = (corner?.offsetTop ?? height) - (axis ? AXIS_HEIGHT : 0);
  const side = Math.min(width, bottom - top) / WITH_MARGIN;
  return {
    x: 0.5,
    y: 0.5 + (height / 2 - (top + bottom) / 2) / side,
    span: Math.min(width, height) / side,
  };
}

/** View shifted into the part of a phone's map that panel and tour leave free. */
function viewClearOfPanel(view: View, mapView: MapView): View {
  if (!PHONE.matches) return view;
  const { clientWidth: width, clientHeight: height } = mapView.viewer.canvas;
  const middle = (tourBottom() + (1 - PANEL) * height) / 2;
  return { ...view, y: view.y + ((height / 2 - middle) * view.span) / Math.min(width, height) };
}

/** Bottom edge of the tour card, CSS pixels below the top of the map. */
function tourBottom(): number {
  const card = document.querySelector<HTMLElement>(".tour:not([hidden])");
  return card ? card.offsetTop + card.offsetHeight : 0;
}
