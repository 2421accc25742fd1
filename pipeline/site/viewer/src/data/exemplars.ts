// The real samples behind a cell: which image, and where in it.

import { decodeArray, type EncodedArray, loadData, type NumberArray } from "./data-files";
import type { LevelData } from "./level";
import type { LayerEntry, Manifest } from "./manifest";

export interface Exemplar {
  /** Address of the stored image, which is what the network saw. */
  readonly address: string;
  /** Name of the image within its set. */
  readonly key: string;
  readonly label: string | null;
  /** Left and top edge and side of the patch, as shares of the image's side. */
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

type ImageRows = Readonly<Record<string, readonly [string, string | null]>>;

/** The exemplars of a cell, nearest to its mean first. */
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
  const { side } = layer.patch;
  return {
    address: `data/images/${folder}/${image}.webp`,
    key,
    label,
    left: clampToImage((x + 0.5) / layer.map[1] - side / 2, side),
    top: clampToImage((y + 0.5) / layer.map[0] - side / 2, side),
    side,
  };
}

/** The edge moved so that the patch lies within the image. */
function clampToImage(edge: number, side: number): number {
  return Math.min(Math.max(edge, 0), 1 - side);
}

const positionsByLevel = new Map<string, Promise<{ image: NumberArray; position: NumberArray }>>();

/** Row of the image (-1 for none) and place in the layer's map (y, x) of every exemplar of every cell. */
export function loadExemplarPositions(name: string): Promise<{ image: NumberArray; position: NumberArray }> {
  let found = positionsByLevel.get(name);
  if (!found) {
    found = readExemplarPositions(name);
    found.catch(() => positionsByLevel.delete(name));
    positionsByLevel.set(name, found);
  }
  return found;
}

async function readExemplarPositions(name: string): Promise<{ image: NumberArray; position: NumberArray }> {
  const content = await loadData<{ image: EncodedArray; position: EncodedArray }>(name);
  return { image: await decodeArray(content.image), position: await decodeArray(content.position) };
}

// Which exemplars stand for a region: they are taken evenly from its samples, and each from another image.

/**
 * Cells in reading order, each as often as its share of the samples says: the one that holds the middle sample of each
 * of `parts` equal parts.
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
 * The best exemplar of each of these cells whose name is not taken yet; of all of them, the next best ones, until
 * there are `parts`.
 *
 * @param ranked the exemplars of a cell, the best first.
 * @param name of what may stand there only once.
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
