// Heatmaps of class attributions over the cells of a level.

import { decodeArray, type EncodedArray, loadData, memoize, type NumberArray } from "./data-files";
import { type LevelData, loadLevel, parentCells } from "./level";
import type { AtlasEntry, HeatmapEntry, LayerEntry } from "./manifest";

export interface Heatmap {
  readonly classId: number;
  /** For each cell of the shown level: mean attribution, in logits. */
  readonly value: Float32Array;
  /** The same as a color, -1..1: signed square root of the attribution relative to the layer's maximum. */
  readonly share: Float32Array;
  /** Attribution at a share of 1, in logits. */
  readonly scale: number;
  /** Cells per side of the grid that the values are of; cells of a finer level have those of their parent cell. */
  readonly size: number;
}

/** Attribution of a cell, in logits. */
export function attribution(heatmap: Heatmap, cell: number): number {
  return heatmap.value[cell] ?? 0;
}

/** Heatmap of a class over the cells of `level`; levels finer than the stored ones use their parent cell's value. */
export async function loadHeatmap(
  entry: HeatmapEntry,
  layer: string,
  atlas: string,
  level: LevelData,
  classId: number,
): Promise<Heatmap> {
  const stored = [...entry.levels].reverse().find(({ size }) => size <= level.size) ?? entry.levels[0];
  if (!stored) throw new Error(`${level.name} has no heatmaps`);
  const source = await loadLevel(layer, atlas, stored.size);
  const block = Math.floor(classId / stored.classes_per_block);
  const planes = await loadHeatmapBlock(`${source.name}/heatmap-${block}`);
  const start = (classId % stored.classes_per_block) * source.cells;
  const { scale } = entry;
  const value = toLevel(planes.subarray(start, start + source.cells), source, level);
  // the finest steps around zero: with a thousand classes most values are far below the largest one
  const share = value.map((each) => Math.sign(each) * Math.sqrt(Math.min(Math.abs(each) / scale, 1)));
  return { classId, value, share, scale, size: source.size };
}

function toLevel(plane: NumberArray, source: LevelData, level: LevelData): Float32Array {
  return Float32Array.from(parentCells(level, source), (cell) => plane[cell] ?? 0);
}

const loadHeatmapBlock = memoize(
  async (name): Promise<NumberArray> =>
    decodeArray((await loadData<{ heatmap: EncodedArray }>(name)).heatmap),
);

// Per cell, which of several classes has the largest attribution, and how large it is.

export interface Winners {
  /** Index of the class with the largest attribution per cell; -1 if no class has a positive one. */
  readonly winner: Int8Array;
  /** Share of that class per cell, 0..1, see {@link Heatmap}. */
  readonly share: Float32Array;
}

/** Winning class of every cell; for `sign` -1 by the most negative attribution. Ties go to the first class. */
export function findWinners(heatmaps: readonly Heatmap[], sign: 1 | -1): Winners {
  const cells = heatmaps[0]?.share.length ?? 0;
  const winner = new Int8Array(cells).fill(-1);
  const share = new Float32Array(cells);
  heatmaps.forEach((heatmap, index) => {
    for (let cell = 0; cell < cells; cell++) {
      const value = sign * (heatmap.share[cell] ?? 0);
      if (value <= (share[cell] ?? 0)) continue;
      share[cell] = value;
      winner[cell] = index;
    }
  });
  return { winner, share };
}

/** Index of the winning class of one cell, or -1. */
export function findWinner(heatmaps: readonly Heatmap[], sign: 1 | -1, cell: number): number {
  const values = heatmaps.map((heatmap) => sign * (heatmap.share[cell] ?? 0));
  const most = Math.max(0, ...values);
  return most > 0 ? values.indexOf(most) : -1;
}

// Cells with the largest and the smallest attribution to a class.

export interface Ranked {
  readonly cell: number;
  /** Mean attribution, in logits. */
  readonly value: number;
}

export interface StrongestCells {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  readonly most: readonly Ranked[];
  readonly least: readonly Ranked[];
}

/** Grid level of overviews: the middle level with heatmaps, or null if there is none. */
export function overviewLevel({ heatmap }: AtlasEntry): number | null {
  const sizes = heatmap?.levels.map(({ size }) => size) ?? [];
  return sizes[Math.floor(sizes.length / 2)] ?? null;
}

/** Strongest cells of an atlas for a class; null if no attributions were recorded. */
export async function loadStrongestCells(
  layer: LayerEntry,
  atlas: AtlasEntry,
  classId: number,
  most: number,
  least: number,
): Promise<StrongestCells | null> {
  const size = overviewLevel(atlas);
  if (size === null || !atlas.heatmap) return null;
  const level = await loadLevel(layer.name, atlas.name, size);
  const heatmap = await loadHeatmap(atlas.heatmap, layer.name, atlas.name, level, classId);
  const ranked = rankCells(level, heatmap);
  return {
    layer,
    atlas,
    level,
    most: ranked.slice(0, most).filter(({ value }) => value > 0),
    least: ranked
      .slice(-least)
      .reverse()
      .filter(({ value }) => value < 0),
  };
}

function rankCells(level: LevelData, heatmap: Heatmap): Ranked[] {
  const cells = Array.from({ length: level.cells }, (_, cell) => cell).filter((cell) => level.hasIcon(cell));
  return cells
    .map((cell) => ({ cell, value: attribution(heatmap, cell) }))
    .sort((one, other) => other.value - one.value || one.cell - other.cell);
}
