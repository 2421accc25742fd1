// Legibility: the share of icons that another network, the judge, assigns to their own cell.

import { decimal, percent } from "../data/format";
import type { IconStyle } from "../data/icon-styles";
import { type AtlasEntry, atlasName, type LayerEntry, type Manifest } from "../data/manifest";
import { el } from "../ui/dom";
import { type Axis, createForestPlot, type Row } from "./forest";
import type { Estimate } from "./result";
import { createTable } from "./tables";

/** Metrics of a level's icons; all but the first are missing if fewer than two icons could be judged. */
export interface Legibility {
  readonly judged: number;
  /** Share of icons whose own cell is the nearest, mean over the judge's two deepest depths. */
  readonly recognized?: Estimate | null;
  /** The same for one real patch of each cell. */
  readonly ceiling_recognized?: Estimate | null;
  /** By depth of the judge. */
  readonly top1?: readonly number[];
  readonly top5?: readonly number[];
  readonly percentile?: readonly number[];
  readonly ceiling_top1?: readonly number[];
  readonly ceiling_top5?: readonly number[];
  readonly ceiling_percentile?: readonly number[];
  readonly chance_top1?: number | null;
  readonly chance_top5?: number | null;
}

interface Judged extends Required<Legibility> {
  readonly recognized: Estimate;
  readonly ceiling_recognized: Estimate;
}

interface JudgedIcons {
  readonly legibility?: Legibility | null;
}

interface JudgedLevel {
  readonly size: number;
  /** Of the first style of icons; those of the others are below their names. */
  readonly icons: (JudgedIcons & Partial<Readonly<Record<IconStyle, JudgedIcons>>>) | null;
}

/** The metrics of the run, as far as this section reads them: levels by layer and atlas. */
export interface LegibilityMetrics {
  readonly atlases: Readonly<
    Record<string, Readonly<Record<string, { readonly levels: readonly JudgedLevel[] }>>>
  >;
}

const SHARE: Axis = {
  low: 0,
  high: 1,
  ticks: [0, 0.25, 0.5, 0.75, 1],
  chance: 0,
  format: (value) => (value === null ? "–" : formatShare(value)),
};
const MEASURES = [
  { name: "own cell nearest", key: "top1" },
  { name: "own cell among the nearest five", key: "top5" },
  { name: "percentile of the own cell", key: "percentile" },
] as const;

/** Name of the judge that the run was made with; `null` without one. */
export function judgeName({ provenance }: Manifest): string | null {
  const { judge } = provenance.settings as { judge?: { readonly name?: string } | null };
  return judge?.name ?? null;
}

/** Section of the page; `metrics` is null if they are not next to the site. */
export function createLegibility(
  manifest: Manifest,
  judge: string,
  metrics: LegibilityMetrics | null,
): HTMLElement {
  const section = el(
    "section",
    { class: "legibility", "aria-labelledby": "legibility" },
    el("h2", { id: "legibility" }, "Would another network recognize the icons?"),
    ...createIntroduction(judge),
  );
  if (metrics) {
    const cards = manifest.layers.map((layer) => createCard(manifest, layer, metrics));
    section.append(el("div", { class: "judged" }, ...cards));
  } else {
    const text =
      "Not available yet: 'atlas run', 'atlas browse' and 'atlas export' write it next to the site.";
    section.append(el("p", { class: "empty" }, text));
  }
  return section;
}

function createIntroduction(judge: string): HTMLElement[] {
  return [
    el(
      "p",
      { class: "lead" },
      `${judge} did not render the icons. It compares each icon with real patches of all cells of the level, from images ` +
        "that the icon was not made from. An icon is recognized if the patches of its own cell are the most similar ones.",
    ),
    el(
      "p",
      { class: "secondary rule" },
      "For comparison, one real patch of each cell takes the place of its icon. These patches come from images without an " +
        "exemplar of the cell, so that they may be less typical of it than the icon: icons can be recognized more often. " +
        "Shares are means over the two deepest of the judge’s depths, confidence intervals are over cells. The dashed line " +
        "is the chance level: one in as many as there are judged cells.",
    ),
  ];
}

function createCard(manifest: Manifest, layer: LayerEntry, { atlases }: LegibilityMetrics): HTMLElement {
  const found = layer.atlases.flatMap((atlas) => {
    const levels = judgedLevels(atlas, atlases[layer.name]?.[atlas.name]?.levels ?? []);
    return levels.length ? [{ atlas, levels }] : [];
  });
  const card = el("article", { "data-judged": layer.name }, el("h3", {}, layer.name));
  for (const { atlas, levels } of found) card.append(createFigure(manifest, atlas, levels));
  card.append(
    found.length
      ? createTables(manifest, found)
      : el("p", { class: "empty" }, "No level has two icons that could be judged."),
  );
  return card;
}

/** The judged icons of a level in one style. */
interface Level {
  readonly size: number;
  /** What the icons are called: their style only where the atlas has several. */
  readonly icons: string;
  readonly found: Judged;
}

function judgedLevels({ styles }: AtlasEntry, levels: readonly JudgedLevel[]): Level[] {
  return levels.flatMap(({ size, icons }) =>
    styles.flatMap((style, index) => {
      const found = (index ? icons?.[style] : icons)?.legibility;
      const name = styles.length > 1 ? `${style} icons` : "icons";
      return found && isJudged(found) ? [{ size, icons: name, found }] : [];
    }),
  );
}

function isJudged(found: Legibility): found is Judged {
  return Boolean(found.recognized && found.ceiling_recognized);
}

function createFigure(manifest: Manifest, atlas: AtlasEntry, levels: readonly Level[]): HTMLElement {
  const rows = levels.flatMap(({ size, icons, found }): Row[] => {
    const chance = found.chance_top1 ?? 0;
    return [
      { name: `${icons}, ${size}\u00a0×\u00a0${size}`, estimate: found.recognized, chance },
      { name: "real patches", estimate: found.ceiling_recognized, chance, plain: true },
    ];
  });
  const chances = new Set(
    levels.map(({ size, found }) => `${formatShare(found.chance_top1 ?? 0)} at ${size}\u00a0×\u00a0${size}`),
  );
  const question = `Share that the judge assigns to their own cell; by chance ${[...chances].join(", ")}.`;
  return createForestPlot(atlasName(manifest, atlas), question, rows, SHARE);
}

/** Collapsed part of the card: every measure at every depth of the judge. */
function createTables(
  manifest: Manifest,
  atlases: readonly { readonly atlas: AtlasEntry; readonly levels: readonly Level[] }[],
): HTMLDetailsElement {
  const details = el("details", {}, el("summary", {}, "All depths of the judge as tables"));
  for (const { atlas, levels } of atlases) {
    const depths = levels[0]?.found.top1.map((_, depth) => `Depth ${depth + 1}`) ?? [];
    const caption = `${atlasName(manifest, atlas)}: icons, and real patches below`;
    details.append(
      createTable(caption, ["Level, measure", ...depths, "Chance"], levels.flatMap(createTableRows)),
    );
  }
  return details;
}

function createTableRows({ size, icons, found }: Level): (string | Node)[][] {
  return MEASURES.map(({ name, key }) => {
    const format = key === "percentile" ? decimal : formatShare;
    const cells = found[key].map((value, depth) => {
      const real = found[`ceiling_${key}`][depth];
      const note = real === undefined ? null : el("small", {}, format(real));
      return el("span", {}, format(value), note);
    });
    const chance = { top1: found.chance_top1, top5: found.chance_top5, percentile: 0.5 }[key];
    const level = `${size}\u00a0×\u00a0${size}, ${found.judged} ${icons}`;
    const head = el("span", {}, `${name} `, el("small", {}, level));
    return [head, ...cells, chance === null ? "–" : format(chance)];
  });
}

function formatShare(value: number): string {
  return percent(value).replace(" %", "\u00a0%");
}
