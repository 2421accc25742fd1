// Contents page: links to all results of a run.

import { loadDataFrom, takeData } from "../data/data-files";
import { count } from "../data/format";
import {
  type AtlasEntry,
  allAtlases,
  atlasName,
  type LayerEntry,
  loadBookmarks,
  type Manifest,
  sizesWithIcons,
} from "../data/manifest";
import { el } from "../ui/dom";
import { createAtlasPreview } from "../ui/icons";
import { createPageHeader, showFailure } from "../ui/page";
import type { Measurements } from "./measures";
import { createMeasurements, describeAccuracy } from "./tables";
import { createTests } from "./tests";

async function start(): Promise<void> {
  const manifest = takeData("manifest") as Manifest;
  const main = el("main", {}, ...createIntroduction(manifest), createAtlases(manifest));
  document.body.append(createPageHeader("Contents"), main);
  const { automatic, bookmarks } = await loadBookmarks().catch(() => ({ automatic: false, bookmarks: [] }));
  const stops = bookmarks.map(({ title, text, link }, index) => {
    const href = `index.html#${link}${link ? "&" : ""}tour=${index + 1}`;
    return el("li", {}, el("a", { class: "name", href }, title), el("span", { class: "secondary" }, text));
  });
  const automaticNote = automatic ? "Generated from the measurements of the run." : null;
  if (stops.length) {
    main.append(
      el(
        "section",
        { id: "tour" },
        el("h2", {}, el("a", { href: "index.html#tour=1" }, "Tour")),
        automaticNote ? el("p", { class: "summary" }, automaticNote) : null,
        el("ol", { class: "results stops" }, ...stops),
      ),
    );
  }
  const measurements = await loadDataFrom<Measurements>("figures.js", "figures").catch(() => null);
  const accuracy = measurements?.images && describeAccuracy(manifest.network.name, measurements.images);
  if (accuracy) main.querySelector(".lead")?.append(" ", accuracy.replaceAll(" %", "\u00a0%"));
  main.append(...createTests(manifest), createMeasurements(manifest, measurements));
  document.documentElement.dataset.ready = "contents";
}

function createIntroduction(manifest: Manifest): HTMLElement[] {
  const { layers, network, images, title } = manifest;
  const summary = [
    count(allAtlases(manifest).length, "atlas", "atlases"),
    `at ${layers.length === 1 ? "one layer" : `each of ${count(layers.length, "layer")}`} of ${network.name}`,
    `from ${count(images, "image")}`,
  ];
  return [
    el("h1", {}, title),
    el("p", { class: "lead" }, `${summary.join(" ")}, with all tests and measurements.`),
  ];
}

// Previews of all atlases of the run.

const MAX_SIDE_BY_SIDE = 3;

/** One row per atlas, layers side by side. */
function createAtlases(manifest: Manifest): HTMLElement {
  const rows = allAtlases(manifest).map((atlas, index) => createRow(manifest, atlas, index));
  const few = manifest.layers.length <= MAX_SIDE_BY_SIDE; // narrow rows leave room for several atlases side by side
  return el(
    "section",
    { id: "atlases" },
    el("h2", {}, "Atlases"),
    el("div", { class: few ? "rows few" : "rows" }, ...rows),
  );
}

function createRow(manifest: Manifest, atlas: AtlasEntry, index: number): HTMLElement {
  const cards = manifest.layers.flatMap((layer) => {
    const found = layer.atlases.find(({ name }) => name === atlas.name);
    return found ? [el("li", {}, createCard(layer, found))] : [];
  });
  const kind = { all: null, class: "one class", compare: "two classes compared" }[atlas.kind];
  const heading = el("h3", { id: `atlas-${index}` }, atlasName(manifest, atlas));
  if (kind) heading.append(el("span", { class: "secondary" }, kind));
  return el(
    "div",
    { class: `row ${atlas.kind}`, role: "group", "aria-labelledby": heading.id },
    heading,
    el("ul", { class: "cards" }, ...cards),
  );
}

function createCard(layer: LayerEntry, atlas: AtlasEntry): HTMLElement {
  const size = sizesWithIcons(atlas).at(-1);
  const finest = atlas.levels.find((level) => level.size === size);
  const description = [
    count(atlas.levels[0]?.samples ?? 0, "sample"),
    `${count(finest?.drawn ?? 0, "icon")} on ${finest?.size}\u00a0×\u00a0${finest?.size}`,
  ];
  const parts = new URLSearchParams({ layer: layer.name });
  if (atlas.name !== "all") parts.set("atlas", atlas.name);
  return el(
    "a",
    { class: "atlas", href: `index.html#${parts}` },
    createAtlasPreview(layer.name, atlas),
    el("span", { class: "name" }, layer.name),
    el("span", { class: "secondary" }, description.join(" · ")),
  );
}

start().catch(showFailure);
