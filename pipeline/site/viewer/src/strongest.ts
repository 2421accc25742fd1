// The cells that speak most for a class, and those that speak most against it.

import { attribution, type Heat, loadHeat } from "./heat";
import { type LevelData, loadLevel } from "./level-data";
import type { AtlasEntry, LayerEntry } from "./manifest";

export interface Ranked {
  readonly cell: number;
  /** Mean attribution, logit. */
  readonly value: number;
}

export interface Strongest {
  readonly layer: LayerEntry;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  readonly most: readonly Ranked[];
  readonly least: readonly Ranked[];
}

/** The grid level that a survey shows: the middle one of those that have heat planes, or null without any. */
export function surveyLevel({ heat }: AtlasEntry): number | null {
  const sizes = heat?.levels.map(({ size }) => size) ?? [];
  return sizes[Math.floor(sizes.length / 2)] ?? null;
}

/** The strongest cells of an atlas for a class; null where attributions were not recorded. */
export async function loadStrongest(
  layer: LayerEntry,
  atlas: AtlasEntry,
  classId: number,
  most: number,
  least: number,
): Promise<Strongest | null> {
  const size = surveyLevel(atlas);
  if (size === null || !atlas.heat) return null;
  const level = await loadLevel(layer.name, atlas.name, size);
  const heat = await loadHeat(atlas.heat, layer.name, atlas.name, level, classId);
  const ranked = rank(level, heat);
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

function rank(level: LevelData, heat: Heat): Ranked[] {
  const cells = Array.from({ length: level.cells }, (_, cell) => cell).filter((cell) => level.isDrawn(cell));
  return cells
    .map((cell) => ({ cell, value: listed(level, cell, heat.classId) ?? attribution(heat, cell) }))
    .sort((one, other) => other.value - one.value || one.cell - other.cell);
}

/** The exact value, where the class is among the cell's strongest ones. */
function listed(level: LevelData, cell: number, classId: number): number | undefined {
  return level.topClasses(cell).find(({ id }) => id === classId)?.value;
}
