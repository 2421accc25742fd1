// What the second picture shows, as the state, a link and the change of places have it.

import { whole } from "../data/format";
import { find, type Manifest } from "../data/manifest";
import { choiceFrom, choiceInLink, chosen } from "./class-selection";
import type { BesideState, State } from "./state";

/** What a second picture shows at first: the next layer with the same classes. */
export function besideAtFirst({ layers }: Manifest, state: State): BesideState {
  const now = layers.findIndex(({ name }) => name === state.layer);
  const next = layers[(now + 1) % layers.length]?.name ?? state.layer;
  return { ...shownBy(state), layer: next };
}

export function sameBeside(one: BesideState, other: BesideState): boolean {
  return besideInLink(one) === besideInLink(other) && one.hues.join() === other.hues.join();
}

/** Both pictures in each other's place; a chosen grid level stays where the other atlas has it. */
export function changedPlaces(manifest: Manifest, state: State): Partial<State> {
  const { beside } = state;
  if (!beside) return {};
  const { levels } = find(manifest, beside.layer, beside.atlas).atlas;
  const level = levels.some(({ size }) => size === state.level) ? state.level : null;
  return { ...beside, level, beside: shownBy(state), pin: null, selection: null };
}

export function shownBy({ layer, atlas, classId, also, hues }: State): BesideState {
  return { layer, atlas, classId, also, hues };
}

/** `<layer>~<atlas>~<classes>`, and `~<colours>` where these are not in order. */
export function besideInLink(beside: BesideState): string {
  const ids = chosen(beside).map(({ id }) => id);
  const hues = new Map(choiceInLink(beside)).get("hues");
  return [beside.layer, beside.atlas, ids.join("."), ...(hues ? [hues] : [])].join("~");
}

/** The second picture that a link asks for; none where there is no such layer. */
export function besideFrom(text: string | null, { layers, network }: Manifest): BesideState | null {
  const [name, wanted, ids = "", hues = ""] = (text ?? "").split("~");
  const layer = layers.find((entry) => entry.name === name);
  const atlas = layer?.atlases.find((entry) => entry.name === wanted) ?? layer?.atlases[0];
  if (!layer || !atlas) return null;
  const [first, ...others] = ids.split(".");
  const id = whole(first);
  const classId = network.classes[id] !== undefined && atlas.heat ? id : null;
  const also = new URLSearchParams({ also: others.join("."), hues });
  return { layer: layer.name, atlas: atlas.name, ...choiceFrom(also, classId, network.classes) };
}
