// A place in the list: what is seen there, its title and what is said of it.

import { el } from "./dom";
import { icon } from "./icon";
import { fromHash } from "./link";
import { find, type Manifest } from "./manifest";
import { miniature } from "./miniature";

export function placeRow(
  manifest: Manifest,
  { title, text, link }: { title: string; text: string; link: string },
  go: () => void,
): HTMLButtonElement {
  const state = fromHash(link, manifest);
  const { layer, atlas } = find(manifest, state.layer, state.atlas);
  const face = state.pin ? icon(layer.name, atlas, state.pin) : miniature(layer.name, atlas);
  const words = el(
    "span",
    { class: "text" },
    el("span", { class: "name" }, title),
    text ? el("span", { class: "said" }, text) : null,
    el("span", { class: "fine" }, where(manifest, link)),
  );
  const row = el("button", { type: "button", class: "place" }, face, words);
  row.addEventListener("click", go);
  return row;
}

/** Where a link leads, in a few words. */
export function where(manifest: Manifest, link: string): string {
  const { layer, atlas, classId, also, pin } = fromHash(link, manifest);
  const names = find(manifest, layer, atlas).atlas.classes;
  const named = (id: number): string => manifest.network.classes[id] ?? `class ${id}`;
  const lit = classId === null ? [] : [classId, ...also];
  return [
    layer,
    ...(names.length ? [names.map(named).join(" ↔ ")] : []),
    ...(lit.length ? [`highlighting ${lit.map(named).join(", ")}`] : []),
    ...(pin ? [`row ${pin.row + 1}, column ${pin.column + 1} of ${pin.size}`] : []),
  ].join(" · ");
}
