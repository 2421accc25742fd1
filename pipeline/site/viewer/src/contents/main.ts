// The page of contents: everything that a run made, with a way to each.

import { allAtlases } from "../atlas-names";
import { el } from "../dom";
import { count } from "../format";
import type { Manifest } from "../manifest";
import { loadPartFrom, takePart } from "../parts";
import { loadPlaces } from "../places-data";
import { themeButton } from "../theme";
import { atlases } from "./atlases";
import type { Contents } from "./content";
import { figures } from "./figures";
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
