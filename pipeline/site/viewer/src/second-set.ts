// The way to the second image set: a button under the wall label.

import { button, el } from "./dom";
import { find, type Manifest } from "./manifest";
import type { Store } from "./state";

/** A button that shows where the second set falls; hidden where none was placed. */
export function secondSetButton(manifest: Manifest, store: Store): HTMLElement {
  const { second } = manifest;
  if (!second) return el("span", { hidden: true });
  const face = el("span", {}, "Where ", el("em", {}, second.title), " falls");
  const toggle = (): void => {
    const shown = store.state.show === "second";
    store.set(shown ? { show: "attribution" } : { show: "second", classId: null, sign: 1, intensity: 1 });
  };
  const made = button(`Where ${second.title} falls`, face, toggle, "second-set");
  const update = (): void => {
    const { layer, atlas, show, classId } = store.state;
    const offeredByLens = classId !== null;
    made.hidden = offeredByLens || find(manifest, layer, atlas).atlas.kind !== "all";
    made.setAttribute("aria-pressed", String(show === "second"));
  };
  store.subscribe(update);
  update();
  return made;
}
