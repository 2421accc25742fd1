// How strongly every cell speaks for or against a class.

import { decodeArray, type EncodedArray, loadData, type NumberArray } from "./data-files";
import { type LevelData, loadLevel, parentCells } from "./level";
import type { AtlasEntry, HeatmapEntry, LayerEntry } from "./manifest";

export interface Heatmap {
  readonly classId: number;
  /** For each cell of the shown level, -1..1: the signed square root of its share of the layer's largest attribution. */
  readonly share: Float32Array;
  /** The attribution that a share of 1 stands for, logit. */
  readonly scale: number;
}

/** The attribution behind a share, logit. */
export function attribution(heat: Heatmap, cell: number): number {
  const share = heat.share[cell] ?? 0;
  return Math.sign(share) * share * share * heat.scale;
}

/** The heat of a class over the cells of `level`; finer levels than the stored ones take their parent cell's. */
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
  const planes = await loadHeatmapBlock(`${source.name}/heat-${block}`);
  const start = (classId % stored.classes_per_block) * source.cells;
  return {
    classId,
    share: toLevel(planes.subarray(start, start + source.cells), source, level),
    scale: entry.scale,
  };
}

function toLevel(plane: NumberArray, source: LevelData, level: LevelData): Float32Array {
  return Float32Array.from(parentCells(level, source), (cell) => (plane[cell] ?? 0) / 127);
}

const heatmapBlocks = new Map<string, Promise<NumberArray>>();

function loadHeatmapBlock(name: string): Promise<NumberArray> {
  let found = heatmapBlocks.get(name);
  if (!found) {
    found = loadData<{ heat: EncodedArray }>(name).then((content) => decodeArray(content.heat));
    found.catch(() => heatmapBlocks.delete(name));
    heatmapBlocks.set(name, found);
  }
  return found;
}

// Which of several classes a cell speaks for most, and how strongly.

export interface Winners {
  /** For each cell the place of the winning class in the list; -1 where the cell speaks for none of them. */
  readonly winner: Int8Array;
  /** For each cell the winner's share, 0..1, see {@link Heat}. */
  readonly share: Float32Array;
}

/** The contest over all cells; against the classes where `sign` is -1. Of equals the first one wins. */
export function findWinners(heats: readonly Heatmap[], sign: 1 | -1): Winners {
  const cells = heats[0]?.share.length ?? 0;
  const winner = new Int8Array(cells).fill(-1);
  const share = new Float32Array(cells);
  heats.forEach((heat, place) => {
    for (let cell = 0; cell < cells; cell++) {
      const value = sign * (heat.share[cell] ?? 0);
      if (value <= (share[cell] ?? 0)) continue;
      share[cell] = value;
      winner[cell] = place;
    }
  });
  return { winner, share };
}

/** The place of the class that wins a cell, or -1. */
export function findWinner(heats: readonly Heatmap[], sign: 1 | -1, cell: number): number {
  const values = heats.map((heat) => sign * (heat.share[cell] ?? 0));
  const most = Math.max(0, ...values);
  return most > 0 ? values.indexOf(most) : -1;
}

// The cells that speak most for a class, and those that speak most against it.

export interface Ranked {
  readonly cell: number;
  /** Mean attribution, logit. */
  readonly value: number;
}

export interface StrongestCells {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  readonly most: readonly Ranked[];
  readonly least: readonly Ranked[];
}

/** The grid level that a survey shows: the middle one of those that have heat planes, or null without any. */
export function overviewLevel({ heat }: AtlasEntry): number | null {
  const sizes = heat?.levels.map(({ size }) => size) ?? [];
  return sizes[Math.floor(sizes.length / 2)] ?? null;
}

/** The strongest cells of an atlas for a class; null where attributions were not recorded. */
export async function loadStrongestCells(
  layer: LayerEntry,
  atlas: AtlasEntry,
  classId: number,
  most: number,
  least: number,
): Promise<StrongestCells | null> {
  const size = overviewLevel(atlas);
  if (size === null || !atlas.heat) return null;
  const level = await loadLevel(layer.name, atlas.name, size);
  const heat = await loadHeatmap(atlas.heat, layer.name, atlas.name, level, classId);
  const ranked = rankCells(level, heat);
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

function rankCells(level: LevelData, heat: Heatmap): Ranked[] {
  const cells = Array.from({ length: level.cells }, (_, cell) => cell).filter((cell) => level.hasIcon(cell));
  return cells
    .map((cell) => ({ cell, value: listedValue(level, cell, heat.classId) ?? attribution(heat, cell) }))
    .sort((one, other) => other.value - one.value || one.cell - other.cell);
}

/** The exact value, where the class is among the cell's strongest ones. */
function listedValue(level: LevelData, cell: number, classId: number): number | undefined {
  return level.topClasses(cell).find(({ id }) => id === classId)?.value;
}
