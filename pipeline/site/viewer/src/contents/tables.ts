// What was measured, as tables that say what they tell.

import { count, percent } from "../data/format";
import { atlasName, type Manifest } from "../data/manifest";
import { el } from "../ui/dom";
import { type Contents, LAYOUT, LEVEL, type Measure, type Measured } from "./measures";

export function figures(manifest: Manifest, contents: Contents | null): HTMLElement {
  if (!contents) {
    const text =
      "They are not here yet: 'atlas run', 'atlas browse' and 'atlas export' lay them beside the site.";
    return el("section", { id: "figures" }, el("h2", {}, "Figures"), el("p", { class: "nothing" }, text));
  }
  return el(
    "section",
    { id: "figures" },
    el("h2", {}, "Figures"),
    network(manifest, contents),
    ...part("The maps", "layouts", manifest, contents, LAYOUT, ({ layout }) =>
      layout ? [{ row: layout, size: null }] : [],
    ),
    ...part("The icons", "icons", manifest, contents, LEVEL, ({ levels }) =>
      levels.filter(({ cells, icons }) => cells || icons).map((row) => ({ row, size: row.size })),
    ),
  );
}

/** What is known of images and network, in a sentence or two. */
function network({ network, layers }: Manifest, { images, layers: sampled }: Contents): HTMLElement {
  const told: string[] = [];
  const known = (value: unknown): value is number => typeof value === "number";
  if (images && known(images.images)) {
    const rejected = images.rejected ? `, ${count(images.rejected, "more", "more")} could not be read` : "";
    told.push(`${count(images.images, "image")}${rejected}.`);
    if (known(images.top1)) {
      const five = known(images.top5) ? `, and within its five first in ${percent(images.top5)}` : "";
      told.push(
        `${network.name} names the right class of ${percent(images.top1)} of those with a label${five}.`,
      );
    }
  }
  for (const { name } of layers) {
    const layer = sampled[name];
    if (known(layer?.zero_attributions) && layer.zero_attributions >= 0.005) {
      told.push(`At ${name}, ${percent(layer.zero_attributions)} of the attributions are exactly zero.`);
    }
  }
  return el("p", { class: "said" }, told.join(" ").replaceAll(" %", "\u00a0%"));
}

interface Told<Row> {
  readonly row: Row;
  readonly size: number | null;
}

/** A heading, a table over all layers and atlases, and what its columns mean. */
function part<Row>(
  title: string,
  id: string,
  manifest: Manifest,
  contents: Contents,
  measures: readonly Measure<Row>[],
  rowsOf: (measured: Measured) => Told<Row>[],
): HTMLElement[] {
  const groups = manifest.layers.map((layer) => {
    const rows = layer.atlases.flatMap((atlas) => {
      const found = contents.atlases[layer.name]?.[atlas.name];
      return (found ? rowsOf(found) : []).map(({ row, size }, index) => {
        const parts = new URLSearchParams({ layer: layer.name, atlas: atlas.name });
        if (size !== null) parts.set("level", String(size));
        const name = el("a", { href: `index.html#${parts}` }, atlasName(manifest, atlas));
        const head = el("th", { scope: "row" }, name, size === null ? null : grid(size));
        if (index) head.classList.add("again");
        return el("tr", {}, head, ...measures.map((measure) => value(measure, row)));
      });
    });
    const heading = el("th", { scope: "rowgroup", colspan: measures.length + 1 }, layer.name);
    return rows.length ? el("tbody", {}, el("tr", { class: "group" }, heading), ...rows) : null;
  });
  if (groups.every((group) => group === null))
    return [el("h3", { id }, title), el("p", { class: "nothing" }, "Nothing was measured in this run.")];
  const head = measures.map(({ name, meaning }) => el("th", { scope: "col", title: meaning }, name));
  const table = el(
    "table",
    { "aria-labelledby": id },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Atlas"), ...head)),
    ...groups.filter((group) => group !== null),
  );
  return [
    el("h3", { id }, title),
    el("div", { class: "table", tabindex: 0, role: "region", "aria-label": title }, table),
    meanings(measures),
  ];
}

function grid(size: number): HTMLElement {
  return el("span", { class: "fine" }, ` ${size}\u00a0×\u00a0${size}`);
}

function value<Row>(measure: Measure<Row>, row: Row): HTMLElement {
  const found = measure.value(row);
  if (typeof found !== "number") return el("td", {}, el("span", { class: "fine" }, "–"));
  const cell = el("td", {}, measure.written(found).replace(" %", "\u00a0%"));
  if (!measure.bar) return cell;
  const bar = el("span", { class: "bar" });
  bar.style.width = `${100 * Math.min(Math.max(found, 0), 1)}%`;
  cell.append(el("span", { class: "track", "aria-hidden": "true" }, bar));
  return cell;
}

function meanings<Row>(measures: readonly Measure<Row>[]): HTMLElement {
  const entries = measures.map(({ name, meaning }) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, meaning)),
  );
  return el("dl", { class: "meanings" }, ...entries);
}
