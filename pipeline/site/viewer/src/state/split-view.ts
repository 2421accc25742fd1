// State of the second map.

import { parseInteger } from "../data/format";
import { find, type Manifest } from "../data/manifest";
import { highlightedClasses, selectionFromHash, selectionToHash } from "./class-selection";
import type { SplitState, State } from "./state";

/** Initial second map: the next layer with the same classes. */
export function initialSplit({ layers }: Manifest, state: State): SplitState {
  const now = layers.findIndex(({ name }) => name === state.layer);
  const next = layers[(now + 1) % layers.length]?.name ?? state.layer;
  return { ...splitOf(state), layer: next };
}

export function isSameSplit(one: SplitState, other: SplitState): boolean {
  return splitToHash(one) === splitToHash(other) && one.hues.join() === other.hues.join();
}

/** State with both maps swapped; a fixed grid level is kept if the other atlas has it. */
export function swapViews(manifest: Manifest, state: State): Partial<State> {
  const { split } = state;
  if (!split) return {};
  const { levels } = find(manifest, split.layer, split.atlas).atlas;
  const level = levels.some(({ size }) => size === state.level) ? state.level : null;
  return { ...split, level, split: splitOf(state), pin: null, selection: null };
}

export function splitOf({ layer, atlas, classId, also, hues }: State): SplitState {
  return { layer, atlas, classId, also, hues };
}

/** `<layer>~<atlas>~<classes>`, and `~<colors>` if they are not in order. */
export function splitToHash(split: SplitState): string {
  const ids = highlightedClasses(split).map(({ id }) => id);
  const hues = new Map(selectionToHash(split)).get("hues");
  return [split.layer, split.atlas, ids.join("."), ...(hues ? [hues] : [])].join("~");
}

/** Second map of a URL hash; null if the layer is unknown. */
export function splitFromHash(text: string | null, { layers, network }: Manifest): SplitState | null {
  const [name, wanted, ids = "", hues = ""] = (text ?? "").split("~");
  const layer = layers.find((entry) => entry.name === name);
  const atlas = layer?.atlases.find((entry) => entry.name === wanted) ?? layer?.atlases[0];
  if (!layer || !atlas) return null;
  const [first, ...others] = ids.split(".");
  const id = parseInteger(first);
  const classId = network.classes[id] !== undefined && atlas.heatmap ? id : null;
  const also = new URLSearchParams({ also: others.join("."), hues });
  return { layer: layer.name, atlas: atlas.name, ...selectionFromHash(also, classId, network.classes) };
}
