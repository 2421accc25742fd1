// Ways to another atlas and to a cell anywhere.

import { find, type Manifest } from "./manifest";
import type { CellAddress, State, Store } from "./state";

const AROUND = 9; // cells in sight around the one that was gone to

/** Another atlas of the same layer, whole; the grid level stays where it exists. */
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

/** A cell of any layer and atlas, pinned and in the middle of what is in sight. */
export function goTo(
  store: Store,
  layer: string,
  atlas: string,
  cell: CellAddress,
  change: Partial<State> = {},
): void {
  const { size, row, column } = cell;
  const view = { x: (column + 0.5) / size, y: (row + 0.5) / size, span: Math.min(AROUND / size, 1) };
  store.set({ layer, atlas, level: size, pin: cell, selection: null, view, ...change });
}
