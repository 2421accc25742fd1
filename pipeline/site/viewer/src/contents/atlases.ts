// Every atlas of the run as a picture that opens it.

import { allAtlases, atlasName } from "../atlas-names";
import { el } from "../dom";
import { count } from "../format";
import type { AtlasEntry, LayerEntry, Manifest } from "../manifest";
import { miniature } from "../miniature";

const FEW = 3;

/** One row for each atlas, its layers side by side. */
export function atlases(manifest: Manifest): HTMLElement {
  const rows = allAtlases(manifest).map((atlas, index) => row(manifest, atlas, index));
  const few = manifest.layers.length <= FEW; // then several atlases find room side by side
  return el(
    "section",
    { id: "atlases" },
    el("h2", {}, "Atlases"),
    el("div", { class: few ? "rows few" : "rows" }, ...rows),
  );
}

function row(manifest: Manifest, atlas: AtlasEntry, index: number): HTMLElement {
  const cards = manifest.layers.flatMap((layer) => {
    const found = layer.atlases.find(({ name }) => name === atlas.name);
    return found ? [el("li", {}, card(layer, found))] : [];
  });
  const kind = { all: null, class: "one class", compare: "two classes compared" }[atlas.kind];
  const heading = el("h3", { id: `atlas-${index}` }, atlasName(manifest, atlas));
  if (kind) heading.append(el("span", { class: "fine" }, kind));
  return el(
    "div",
    { class: `row ${atlas.kind}`, role: "group", "aria-labelledby": heading.id },
    heading,
    el("ul", { class: "cards" }, ...cards),
  );
}

function card(layer: LayerEntry, atlas: AtlasEntry): HTMLElement {
  const finest = atlas.levels.at(-1);
  const about = [
    count(atlas.levels[0]?.samples ?? 0, "sample"),
    `${count(finest?.drawn ?? 0, "icon")} on ${finest?.size}\u00a0×\u00a0${finest?.size}`,
  ];
  const parts = new URLSearchParams({ layer: layer.name });
  if (atlas.name !== "all") parts.set("atlas", atlas.name);
  return el(
    "a",
    { class: "atlas", href: `index.html#${parts}` },
    miniature(layer.name, atlas),
    el("span", { class: "name" }, layer.name),
    el("span", { class: "fine" }, about.join(" · ")),
  );
}
