// How strongly every cell speaks for or against a class.

import type { LevelData } from "./level-data";
import { loadLevel } from "./level-data";
import type { HeatEntry } from "./manifest";
import { parents } from "./parents";
import { loadPart } from "./parts";
import { type Numbers, type Packed, unpack } from "./unpack";

export interface Heat {
  readonly classId: number;
  /** For each cell of the shown level, -1..1: the signed square root of its share of the layer's largest attribution. */
  readonly share: Float32Array;
  /** The attribution that a share of 1 stands for, logit. */
  readonly scale: number;
}

/** The attribution behind a share, logit. */
export function attribution(heat: Heat, cell: number): number {
  const share = heat.share[cell] ?? 0;
  return Math.sign(share) * share * share * heat.scale;
}

/** The heat of a class over the cells of `level`; finer levels than the stored ones take their parent cell's. */
export async function loadHeat(
  entry: HeatEntry,
  layer: string,
  atlas: string,
  level: LevelData,
  classId: number,
): Promise<Heat> {
  const stored = [...entry.levels].reverse().find(({ size }) => size <= level.size) ?? entry.levels[0];
  if (!stored) throw new Error(`${level.name} has no heat planes`);
  const source = await loadLevel(layer, atlas, stored.size);
  const block = Math.floor(classId / stored.classes_per_block);
  const planes = await loadBlock(`${source.name}/heat-${block}`);
  const start = (classId % stored.classes_per_block) * source.cells;
  return {
    classId,
    share: spread(planes.subarray(start, start + source.cells), source, level),
    scale: entry.scale,
  };
}

function spread(plane: Numbers, source: LevelData, level: LevelData): Float32Array {
  return Float32Array.from(parents(level, source), (cell) => (plane[cell] ?? 0) / 127);
}

const blocks = new Map<string, Promise<Numbers>>();

function loadBlock(name: string): Promise<Numbers> {
  let found = blocks.get(name);
  if (!found) {
    found = loadPart<{ heat: Packed }>(name).then((content) => unpack(content.heat));
    found.catch(() => blocks.delete(name));
    blocks.set(name, found);
  }
  return found;
}
