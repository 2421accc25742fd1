// What is read out when the state changes.

import { announce } from "./announce";
import { holding } from "./atlas-names";
import { find, type Manifest } from "./manifest";
import type { State } from "./state";

export function tellChange(manifest: Manifest, state: State, before: State): void {
  if (state.classId !== before.classId) {
    const name = state.classId === null ? null : manifest.network.classes[state.classId];
    announce(name ? `Highlighting ${name}` : "All classes");
  }
  if (state.atlas !== before.atlas)
    announce(holding(manifest, find(manifest, state.layer, state.atlas).atlas));
  else if (state.level !== before.level || state.layer !== before.layer)
    announce(`Layer ${state.layer}, grid level ${state.level ?? "by zoom"}`);
}
