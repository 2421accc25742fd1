// Where the counts behind a density come from.

import { type Density, density } from "./density";
import { type LevelData, loadLevel } from "./level-data";
import type { AtlasEntry, LayerEntry, Manifest } from "./manifest";
import { loadPart } from "./parts";
import { loadPlaced } from "./placed";
import { remember } from "./remember";
import type { State } from "./state";
import { type Numbers, type Packed, unpack } from "./unpack";

/** The density that the state asks for over the cells of `level`; null for attributions and where none is known. */
export async function loadDensity(
  manifest: Manifest,
  layer: LayerEntry,
  atlas: AtlasEntry,
  level: LevelData,
  { show, classId }: State,
): Promise<Density | null> {
  if (show === "density" && classId !== null) return ofClass(layer, atlas, level, classId);
  if (show === "second" && manifest.second && atlas.kind === "all") return ofSecond(layer, atlas, level);
  return null;
}

async function ofClass(
  layer: LayerEntry,
  atlas: AtlasEntry,
  level: LevelData,
  classId: number,
): Promise<Density | null> {
  const stored = atlas.label_levels.filter(({ size }) => size <= level.size).at(-1);
  if (!stored) return null;
  const source = await loadLevel(layer.name, atlas.name, stored.size);
  const planes = await loadPlanes(`${source.name}/label-${Math.floor(classId / stored.classes_per_block)}`);
  const start = (classId % stored.classes_per_block) * source.cells;
  return density("class", planes.subarray(start, start + source.cells), source, level);
}

async function ofSecond(layer: LayerEntry, atlas: AtlasEntry, level: LevelData): Promise<Density | null> {
  const { levels } = await loadPlaced(layer.name);
  const sizes = Object.keys(levels).map(Number);
  const size = Math.max(...sizes.filter((each) => each <= level.size));
  const found = levels[String(size)];
  if (!found) return null;
  const source = await loadLevel(layer.name, atlas.name, size);
  return density("second", await unpack(found.count), source, level);
}

const loadPlanes = remember(
  async (name): Promise<Numbers> => unpack((await loadPart<{ count: Packed }>(name)).count),
);
