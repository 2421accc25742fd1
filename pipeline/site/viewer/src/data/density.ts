// Density: share of a subset of the samples in each cell, compared with all samples of the atlas.

import {
  decodeArray,
  type EncodedArray,
  loadData,
  loadDataAt,
  memoize,
  type NumberArray,
} from "./data-files";
import { share } from "./format";
import { type LevelData, loadLevel, parentCells } from "./level";
import type { AtlasEntry, LayerEntry, Manifest } from "./manifest";

/** What the map shows: attribution, density of the class's samples or of the second image set, or samples as points. */
export type Show = "attribution" | "density" | "second" | "samples";

export interface Density {
  /** The subset: samples of the class's images, or of the second image set. */
  readonly of: "class" | "second";
  /** Share of the subset in each cell of the shown level, 0..1. */
  readonly own: Float32Array;
  /** Share of all samples in each cell, 0..1. */
  readonly all: Float32Array;
  /** Signed square root of `own - all`, divided by its largest magnitude among cells with an icon, -1..1. */
  readonly strength: Float32Array;
  /** Number of samples of the subset. */
  readonly samples: number;
  /** Cells per side of the grid with the counts; finer levels use their parent cell's shares. */
  readonly size: number;
  /** Cells with an icon with the largest excess and the largest deficit, at that grid size. */
  readonly most: { readonly over: Extreme; readonly under: Extreme };
}

export interface Extreme {
  readonly own: number;
  readonly all: number;
}

/**
 * Compare counts with those of all samples.
 *
 * @param of the subset.
 * @param counts for each cell of `source`.
 * @param source level of the counts.
 * @param level shown level, at least as fine.
 */
export function computeDensity(
  of: Density["of"],
  counts: NumberArray,
  source: LevelData,
  level: LevelData,
): Density {
  const samples = Array.from(counts).reduce((sum, value) => sum + value, 0);
  const every = Array.from({ length: source.cells }, (_, cell) => source.value("count", cell));
  const total = every.reduce((sum, value) => sum + value, 0);
  const shares = every.map((value, cell) => ({
    own: samples ? (counts[cell] ?? 0) / samples : 0,
    all: total ? value / total : 0,
  }));
  const most = findExtremes(shares.filter((_, cell) => source.hasIcon(cell)));
  const scale = samples ? Math.max(shareDifference(most.over), -shareDifference(most.under)) : 0;
  const parent = parentCells(level, source);
  const none = { own: 0, all: 0 };
  const share = Array.from(parent, (cell) => shares[cell] ?? none);
  return {
    of,
    own: Float32Array.from(share, ({ own }) => own),
    all: Float32Array.from(share, ({ all }) => all),
    strength: Float32Array.from(share, (each) =>
      scale ? signedSquareRoot(shareDifference(each) / scale) : 0,
    ),
    samples,
    size: source.size,
    most,
  };
}

export function shareDifference({ own, all }: Extreme): number {
  return own - all;
}

function signedSquareRoot(part: number): number {
  return Math.sign(part) * Math.sqrt(Math.min(Math.abs(part), 1));
}

function findExtremes(shares: readonly Extreme[]): Density["most"] {
  let [over, under]: [Extreme, Extreme] = [
    { own: 0, all: 0 },
    { own: 0, all: 0 },
  ];
  for (const share of shares) {
    if (shareDifference(share) > shareDifference(over)) over = share;
    if (shareDifference(share) < shareDifference(under)) under = share;
  }
  return { over, under };
}

// Data of the second image set at a layer; written by the stage `place`.

export interface SecondSetData {
  /** Samples per file of the images of cells. */
  readonly members_per_block: number;
  readonly images_per_folder: number;
  /** By cells per side: number of its samples in each cell of the atlas. */
  readonly levels: Readonly<Record<string, { readonly count: EncodedArray }>>;
}

/** Folder of its files for a layer. */
export function secondSetFolder(layer: string): string {
  return `place/${layer}`;
}

export function loadSecondSet(layer: string): Promise<SecondSetData> {
  return loadDataAt(`${secondSetFolder(layer)}/place`);
}

/** Density that the state requests over the cells of `level`; null for attributions and if none is available. */
export async function loadDensity(
  manifest: Manifest,
  layer: LayerEntry,
  atlas: AtlasEntry,
  level: LevelData,
  { show, classId }: { readonly show: Show; readonly classId: number | null },
): Promise<Density | null> {
  if (show === "density" && classId !== null) return loadClassDensity(layer, atlas, level, classId);
  if (show === "second" && manifest.second_image_set && atlas.kind === "all")
    return loadSecondSetDensity(layer, atlas, level);
  return null;
}

async function loadClassDensity(
  layer: LayerEntry,
  atlas: AtlasEntry,
  level: LevelData,
  classId: number,
): Promise<Density | null> {
  const stored = atlas.label_levels.filter(({ size }) => size <= level.size).at(-1);
  if (!stored) return null;
  const source = await loadLevel(layer.name, atlas.name, stored.size);
  const planes = await loadLabelCounts(
    `${source.name}/label-${Math.floor(classId / stored.classes_per_block)}`,
  );
  const start = (classId % stored.classes_per_block) * source.cells;
  return computeDensity("class", planes.subarray(start, start + source.cells), source, level);
}

async function loadSecondSetDensity(
  layer: LayerEntry,
  atlas: AtlasEntry,
  level: LevelData,
): Promise<Density | null> {
  const { levels } = await loadSecondSet(layer.name);
  const sizes = Object.keys(levels).map(Number);
  const size = Math.max(...sizes.filter((each) => each <= level.size));
  const found = levels[String(size)];
  if (!found) return null;
  const source = await loadLevel(layer.name, atlas.name, size);
  return computeDensity("second", await decodeArray(found.count), source, level);
}

const loadLabelCounts = memoize(
  async (name): Promise<NumberArray> => decodeArray((await loadData<{ count: EncodedArray }>(name)).count),
);

/** Share of the subset and share of all samples in a cell. */
export function describeDensity(density: Density, size: number, cell: number): string {
  const [own, all] = [density.own[cell] ?? 0, density.all[cell] ?? 0];
  const whose = density.of === "class" ? "the class's samples" : "the second set";
  const where = density.size < size ? ` (surrounding cell of ${density.size} × ${density.size})` : "";
  return `${share(own)} of ${whose}, ${share(all)} of all${where}`;
}

/** Difference of shares in percentage points, with sign. */
export function formatPoints(extreme: Extreme): string {
  const value = 100 * shareDifference(extreme);
  const size = Math.abs(value);
  const text = size >= 1 ? size.toFixed(1) : String(Number(size.toPrecision(2)));
  return `${value < 0 ? "−" : "+"}${text}`;
}
