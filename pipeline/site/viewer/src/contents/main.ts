// The page of contents: everything that a run made, with a way to each.

import { loadPartFrom, takePart } from "../data/data-files";
import { count } from "../data/format";
import {
  type AtlasEntry,
  allAtlases,
  atlasName,
  type LayerEntry,
  loadPlaces,
  type Manifest,
} from "../data/manifest";
import { el } from "../ui/dom";
import { miniature } from "../ui/icons";
import { themeButton } from "../ui/page";
import type { Contents } from "./measures";
import { figures } from "./tables";
import { tests } from "./tests";

async function start(): Promise<void> {
  const manifest = takePart("manifest") as Manifest;
  const main = el("main", {}, ...introduction(manifest), atlases(manifest));
  document.body.append(masthead(), main);
  const { automatic, places } = await loadPlaces().catch(() => ({ automatic: false, places: [] }));
  const ways = places.map(({ title, text, link }, index) => {
    const href = `index.html#${link}${link ? "&" : ""}tour=${index + 1}`;
    return el("li", {}, el("a", { class: "name", href }, title), el("span", { class: "fine" }, text));
  });
  const made = automatic ? "Made automatically from the figures of the run." : null;
  if (ways.length) {
    main.append(
      el(
        "section",
        { id: "tour" },
        el("h2", {}, el("a", { href: "index.html#tour=1" }, "Tour")),
        made ? el("p", { class: "said" }, made) : null,
        el("ol", { class: "results stops" }, ...ways),
      ),
    );
  }
  const measured = await loadPartFrom<Contents>("figures.js", "figures").catch(() => null);
  main.append(...tests(manifest), figures(manifest, measured));
  document.documentElement.dataset.ready = "contents";
}

function introduction(manifest: Manifest): HTMLElement[] {
  const { layers, network, images, title } = manifest;
  const made = [
    count(allAtlases(manifest).length * layers.length, "atlas", "atlases"),
    `of ${count(layers.length, "layer")} of ${network.name}`,
    `from ${count(images, "image")}`,
  ];
  return [
    el("h1", {}, title),
    el("p", { class: "lead" }, `${made.join(" ")}, with what was tested and measured.`),
  ];
}

function masthead(): HTMLElement {
  const back = el("a", { class: "back", href: "index.html" }, "← Atlas");
  const theme = themeButton(() => {});
  return el("header", { class: "masthead" }, back, el("p", { class: "where" }, "Contents"), theme);
}

start().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  document.body.append(el("p", { class: "failure", role: "alert" }, text));
});

// Every atlas of the run as a picture that opens it.

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
