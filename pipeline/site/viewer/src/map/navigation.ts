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

// Go to a link: update the state and move the map.

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
  mapView.layOut(); // the card or the panel may have appeared
  mapView.go(state.view);
}

const LEAST_CELL = 26; // CSS pixels of a pinned cell, which a link to it shows; a smaller one belongs to a finer level
const SHOWN_CELL = 36;

/** View that a page opens with: that of its link, or else the whole atlas, or the pinned cell if it is too small there. */
export function initialView(mapView: MapView, { view, pin, level }: State): View | null {
  if (view || !pin || (level !== null && level !== pin.size)) return view;
  if (mapView.homeSide / pin.size >= LEAST_CELL) return null;
  const { width, height } = mapView.window;
  const span = Math.min(width, height) / (SHOWN_CELL * pin.size);
  const middle = (at: number): number => (at + 0.5) / pin.size;
  return { x: middle(pin.column), y: middle(pin.row), span };
}
