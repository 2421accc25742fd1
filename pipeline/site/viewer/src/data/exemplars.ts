// Exemplars of cells: image and patch position.

import { decodeArray, type EncodedArray, loadData, memoize, type NumberArray } from "./data-files";
import type { LevelData } from "./level";
import type { LayerEntry, Manifest } from "./manifest";

/** Left and top edge and side of a patch, relative to the image's side. */
export interface PatchPlace {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

export interface Exemplar extends PatchPlace {
  /** Row of the image. */
  readonly image: number;
  /** URL of the stored image, as the network received it. */
  readonly url: string;
  /** Key of the image in its set. */
  readonly key: string;
  readonly label: string | null;
}

type ImageRows = Readonly<Record<string, readonly [string, string | null]>>;

/** Exemplars of a cell, nearest to its mean first. */
export async function loadExemplars(
  manifest: Manifest,
  layer: LayerEntry,
  level: LevelData,
  cell: number,
): Promise<Exemplar[]> {
  if (manifest.exemplars === 0) return [];
  const { image, position } = await loadExemplarPositions(`${level.name}/exemplars`);
  const ranks = image.length / level.cells;
  const found: Promise<Exemplar>[] = [];
  for (let index = cell * ranks; index < (cell + 1) * ranks; index++) {
    const row = image[index] ?? -1;
    if (row >= 0)
      found.push(exemplar(manifest, layer, row, position[2 * index] ?? 0, position[2 * index + 1] ?? 0));
  }
  return Promise.all(found);
}

async function exemplar(
  manifest: Manifest,
  layer: LayerEntry,
  image: number,
  y: number,
  x: number,
): Promise<Exemplar> {
  const folder = Math.floor(image / manifest.images_per_folder);
  const rows = await loadData<ImageRows>(`images/${folder}`);
  const [key, label] = rows[String(image)] ?? ["", null];
  return { image, url: `data/images/${folder}/${image}.webp`, key, label, ...patchAt(layer, y, x) };
}

/** The patch around a position of the layer's map. */
export function patchAt(layer: LayerEntry, y: number, x: number): PatchPlace {
  const { side } = layer.patch;
  return {
    left: clampToImage((x + 0.5) / layer.map[1] - side / 2, side),
    top: clampToImage((y + 0.5) / layer.map[0] - side / 2, side),
    side,
  };
}

/** Edge of a patch moved so that the patch lies inside the image. */
function clampToImage(edge: number, side: number): number {
  return Math.min(Math.max(edge, 0), 1 - side);
}

/** Image row (-1 for none) and position (y, x) in the layer's map of all exemplars of all cells. */
export const loadExemplarPositions = memoize(
  async (name): Promise<{ image: NumberArray; position: NumberArray }> => {
    const content = await loadData<{ image: EncodedArray; position: EncodedArray }>(name);
    return { image: await decodeArray(content.image), position: await decodeArray(content.position) };
  },
);

/**
 * Cells in row-major order, repeated in proportion to their samples: for each of `parts` equal parts, the cell with its
 * middle sample.
 */
export function sampleEvenly(level: LevelData, cells: readonly number[], parts: number): number[] {
  const counts = cells.map((cell) => level.value("count", cell));
  const samples = counts.reduce((sum, count) => sum + count, 0);
  const found: number[] = [];
  let passed = 0;
  cells.forEach((cell, index) => {
    passed += counts[index] ?? 0;
    while (found.length < parts && ((found.length + 0.5) / parts) * samples < passed) found.push(cell);
  });
  return found;
}

/**
 * The best exemplar with an unused name of each of these cells, then the next best ones, until there are `parts`.
 *
 * @param ranked the exemplars of a cell, best first.
 * @param name that must be unique.
 */
export function pickDistinct<Item>(
  cells: readonly number[],
  parts: number,
  ranked: (cell: number) => readonly Item[],
  name: (item: Item) => string,
): Item[] {
  const [found, taken] = [[] as Item[], new Set<string>()];
  const take = (cell: number): boolean => {
    const item = ranked(cell).find((each) => !taken.has(name(each)));
    if (!item || found.length === parts) return false;
    taken.add(name(item));
    found.push(item);
    return true;
  };
  for (let more = true; more && found.length < parts; ) more = cells.map(take).includes(true);
  return found;
}
