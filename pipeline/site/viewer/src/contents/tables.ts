// Tables of the measurements, with definitions of their columns.

import { count, percent } from "../data/format";
import type { IconStyle } from "../data/icon-styles";
import { type AtlasEntry, atlasName, type LayerEntry, type Manifest } from "../data/manifest";
import { el } from "../ui/dom";
import {
  type AtlasMeasures,
  type ImageMeasures,
  LAYOUT,
  type LevelMeasures,
  levelMeasures,
  type Measure,
  type Measurements,
} from "./measures";

export function createMeasurements(manifest: Manifest, contents: Measurements | null): HTMLElement {
  if (!contents) {
    const text =
      "Not available yet: 'atlas run', 'atlas browse' and 'atlas export' write them next to the site.";
    return el("section", { id: "figures" }, el("h2", {}, "Measurements"), el("p", { class: "empty" }, text));
  }
  return el(
    "section",
    { id: "figures" },
    el("h2", {}, "Measurements"),
    describeNetwork(manifest, contents),
    ...createTable("Layouts", "layouts", manifest, contents, LAYOUT, ({ layout }) =>
      layout ? [{ row: layout, size: null, style: null }] : [],
    ),
    ...createTable("Icons", "icons", manifest, contents, levelMeasures(manifest.verdict), createLevelRows),
  );
}

/** Summary of images and network in one or two sentences. */
function describeNetwork(
  { network, layers }: Manifest,
  { images, layers: sampled }: Measurements,
): HTMLElement {
  const sentences: string[] = [];
  const known = (value: unknown): value is number => typeof value === "number";
  if (images && known(images.images)) {
    const rejected = images.rejected ? `, ${count(images.rejected, "more", "more")} could not be read` : "";
    sentences.push(`${count(images.images, "image")}${rejected}.`);
    const accuracy = describeAccuracy(network.name, images);
    if (accuracy) sentences.push(accuracy);
  }
  for (const { name } of layers) {
    const layer = sampled[name];
    if (known(layer?.zero_attributions) && layer.zero_attributions >= 0.005) {
      sentences.push(`At ${name}, ${percent(layer.zero_attributions)} of the attributions are exactly zero.`);
    }
  }
  return el("p", { class: "summary" }, sentences.join(" ").replaceAll(" %", "\u00a0%"));
}

/** The network's accuracy as a sentence; null where it was not measured. */
export function describeAccuracy(
  network: string,
  { top1, top5, labeled, test_accuracy: tested, test_images: tests }: ImageMeasures,
): string | null {
  const known = (value: unknown): value is number => typeof value === "number";
  if (known(top1)) {
    const five = known(top5) ? `, top-5 ${percent(top5)}` : "";
    const images = known(labeled) ? count(labeled, "image") : "images";
    return `Accuracy of ${network}: top-1 ${percent(top1)}${five}, on ${images} with a label.`;
  }
  if (!known(tested)) return null;
  const images = known(tests) ? count(tests, "image") : "images";
  return `Accuracy of ${network}: top-1 ${percent(tested)}, on ${images} that it was not trained on.`;
}

interface TableRow<Row> {
  readonly row: Row;
  readonly size: number | null;
  /** Style of the icons if the atlas has several. */
  readonly style: IconStyle | null;
}

/** Rows of an atlas's levels, one for each style of icons. */
function createLevelRows(
  { levels }: AtlasMeasures,
  { styles, levels: entries }: AtlasEntry,
): TableRow<LevelMeasures>[] {
  const [first] = styles;
  const withDoubt = (row: LevelMeasures): LevelMeasures => {
    const doubt = entries.find(({ size }) => size === row.size)?.doubt.any;
    return doubt === undefined ? row : { ...row, doubt };
  };
  return levels
    .filter(({ cells, icons }) => cells || icons)
    .flatMap((row) =>
      styles.map((style) => ({
        row: style === first ? withDoubt(row) : { ...row, icons: row.icons?.[style] ?? null },
        size: row.size,
        style: styles.length > 1 ? style : null,
      })),
    );
}

/** Heading, table over all layers and atlases, and definitions of the columns. */
function createTable<Row>(
  title: string,
  id: string,
  manifest: Manifest,
  contents: Measurements,
  allMeasures: readonly Measure<Row>[],
  rowsOf: (measured: AtlasMeasures, atlas: AtlasEntry) => TableRow<Row>[],
): HTMLElement[] {
  const rowsOfAtlas = (layer: LayerEntry, atlas: AtlasEntry): TableRow<Row>[] => {
    const found = contents.atlases[layer.name]?.[atlas.name];
    return found ? rowsOf(found, atlas) : [];
  };
  const allRows = manifest.layers.flatMap((layer) =>
    layer.atlases.flatMap((atlas) => rowsOfAtlas(layer, atlas)),
  );
  const measures = allMeasures.filter(
    ({ optional, value }) => !optional || allRows.some(({ row }) => typeof value(row) === "number"),
  );
  const groups = manifest.layers.map((layer) => {
    const rows = layer.atlases.flatMap((atlas) => {
      return rowsOfAtlas(layer, atlas).map(({ row, size, style }, index) => {
        const name = el("a", { href: linkTo(layer, atlas, size, style) }, atlasName(manifest, atlas));
        const head = el("th", { scope: "row" }, name, size === null ? null : createGridSize(size, style));
        if (index) head.classList.add("repeated");
        return el("tr", {}, head, ...measures.map((measure) => createValueCell(measure, row)));
      });
    });
    const heading = el("th", { scope: "rowgroup", colspan: measures.length + 1 }, layer.name);
    return rows.length ? el("tbody", {}, el("tr", { class: "group" }, heading), ...rows) : null;
  });
  if (groups.every((group) => group === null))
    return [el("h3", { id }, title), el("p", { class: "empty" }, "This run has no measurements.")];
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
    createMeanings(measures),
  ];
}

function linkTo(layer: LayerEntry, atlas: AtlasEntry, size: number | null, style: IconStyle | null): string {
  const parts = new URLSearchParams({ layer: layer.name, atlas: atlas.name });
  if (size !== null) parts.set("level", String(size));
  if (style !== null && style !== atlas.styles[0]) parts.set("style", style);
  return `index.html#${parts}`;
}

function createGridSize(size: number, style: IconStyle | null): HTMLElement {
  return el("span", { class: "secondary" }, ` ${size}\u00a0×\u00a0${size}${style ? `, ${style}` : ""}`);
}

function createValueCell<Row>(measure: Measure<Row>, row: Row): HTMLElement {
  const found = measure.value(row);
  if (typeof found !== "number") return el("td", {}, el("span", { class: "secondary" }, "–"));
  const cell = el("td", {}, measure.format(found).replace(" %", "\u00a0%"));
  if (!measure.bar) return cell;
  const bar = el("span", { class: "bar" });
  bar.style.width = `${100 * Math.min(Math.max(found, 0), 1)}%`;
  cell.append(el("span", { class: "track", "aria-hidden": "true" }, bar));
  return cell;
}

function createMeanings<Row>(measures: readonly Measure<Row>[]): HTMLElement {
  const entries = measures.map(({ name, meaning }) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, meaning)),
  );
  return el("dl", { class: "meanings" }, ...entries);
}
