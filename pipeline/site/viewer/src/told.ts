// What is read out when the state changes.

import { announce } from "./announce";
import { holding } from "./atlas-names";
import { chosen, MOST_CLASSES } from "./chosen";
import { find, type Manifest } from "./manifest";
import type { State } from "./state";

const list = new Intl.ListFormat("en-GB");

export function tellChange(manifest: Manifest, state: State, before: State): void {
  if (state.classId !== before.classId || state.also.join() !== before.also.join()) {
    const names = chosen(state).map(({ id }) => manifest.network.classes[id] ?? `class ${id}`);
    const full = names.length === MOST_CLASSES ? ", no more than these" : "";
    announce(names.length ? `Highlighting ${list.format(names)}${full}` : "All classes");
  }
  if (state.atlas !== before.atlas)
    announce(holding(manifest, find(manifest, state.layer, state.atlas).atlas));
  else if (state.level !== before.level || state.layer !== before.layer)
    announce(`Layer ${state.layer}, grid level ${state.level ?? "by zoom"}`);
}
