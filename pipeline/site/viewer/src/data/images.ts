// Images of cells: their keys, labels and files, and the number of samples in each cell.

import type { Area } from "./area";
import { decodeArray, type EncodedArray, loadDataAt, memoize, type NumberArray } from "./data-files";
import { type Density, loadSecondSet, secondSetFolder } from "./density";
import { type GridView, type LevelData, loadLevel } from "./level";
import type { AtlasEntry, Manifest } from "./manifest";

export interface ImageInfo {
  /** Key of the image in its set. */
  readonly key: string;
  readonly label: string | null;
  /** URL of the image, if it is stored. */
  readonly url: string | null;
}

/** Location of an image set: one data file and one folder of images per `perFolder` images. */
export interface ImageFolder {
  readonly url: string;
  readonly perFolder: number;
}

type Listing = Readonly<Record<string, readonly [string, string | null, 0 | 1]>>;

/** Info of these images, in the same order. */
export async function loadImageInfo(
  { url, perFolder }: ImageFolder,
  images: readonly number[],
): Promise<ImageInfo[]> {
  const folderOf = (image: number): number => Math.floor(image / perFolder);
  const folders = [...new Set(images.map(folderOf))];
  const loaded = await Promise.all(folders.map((folder) => loadDataAt<Listing>(`${url}/${folder}`)));
  const listings = new Map(folders.map((folder, index) => [folder, loaded[index]]));
  return images.map((image) => {
    const folder = folderOf(image);
    const [key, label, stored] = listings.get(folder)?.[String(image)] ?? [`image ${image}`, null, 0];
    return { key, label, url: stored ? `${url}/${folder}/${image}.webp` : null };
  });
}

// Samples are stored in the order of the finest level's cells, in blocks; only the blocks of a region are loaded.

export interface ImageCount {
  /** Row of the image. */
  readonly image: number;
  /** Number of its samples in the region. */
  readonly samples: number;
}

/** Stored samples: number per cell of the finest level, and block size. */
export interface Stored {
  /** Folder of the blocks. */
  readonly url: string;
  readonly perBlock: number;
  readonly finest: LevelData;
  readonly counts: ArrayLike<number>;
}

type Range = readonly [from: number, to: number];

/** Images with samples in a region, most samples first. */
export async function loadImageCounts(stored: Stored, area: Area): Promise<ImageCount[]> {
  const ranges = sampleRanges(stored, area);
  const { url, perBlock: step } = stored;
  const imageCount = new Map<number, number>();
  const work = [...blocksIn(ranges, step)].map(async (block) => {
    const images = await loadBlock(`${url}/members-${block}`);
    for (const [from, to] of ranges) {
      const start = Math.max(from - block * step, 0);
      const end = Math.min(to - block * step, images.length);
      for (let at = start; at < end; at++)
        imageCount.set(images[at] ?? 0, (imageCount.get(images[at] ?? 0) ?? 0) + 1);
    }
  });
  await Promise.all(work);
  const found = Array.from(imageCount, ([image, samples]) => ({ image, samples }));
  return found.sort((one, other) => other.samples - one.samples || one.image - other.image);
}

const loadBlock = memoize(
  async (url): Promise<NumberArray> => decodeArray((await loadDataAt<{ image: EncodedArray }>(url)).image),
);

/** Index ranges of a region's samples, merged where they touch. */
function sampleRanges({ finest, counts }: Stored, area: Area): Range[] {
  const ranges: [number, number][] = [];
  let offset = 0;
  for (let cell = 0; cell < finest.cells; cell++) {
    const end = offset + (counts[cell] ?? 0);
    const row = Math.floor((finest.row(cell) * area.size) / finest.size);
    const column = Math.floor((finest.column(cell) * area.size) / finest.size);
    if (area.has(row, column)) {
      const last = ranges.at(-1);
      if (last?.[1] === offset) last[1] = end;
      else ranges.push([offset, end]);
    }
    offset = end;
  }
  return ranges;
}

function blocksIn(ranges: readonly Range[], step: number): Set<number> {
  const blocks = new Set<number>();
  for (const [from, to] of ranges) {
    for (let block = Math.floor(from / step); block * step < to; block++) blocks.add(block);
  }
  return blocks;
}

// Source of a cell's images: the image set of the atlas, or the second image set.

export interface ImageSource {
  readonly name: "atlas" | "second";
  /** Name of the image set. */
  readonly label: string;
  /** Images with samples in a region, most samples first. */
  countImages(area: Area): Promise<ImageCount[]>;
  /** Info of these images, in the same order. */
  loadInfo(images: readonly number[]): Promise<ImageInfo[]>;
}

/** Image sets that can be listed; the second one only while its density is shown. */
export function listImageSources(
  manifest: Manifest,
  { layer, atlas, density }: GridView & { readonly density: Density | null },
): ImageSource[] {
  const { exemplars, second_image_set: second } = manifest;
  const sources: ImageSource[] = [];
  if (exemplars) sources.push(atlasSource(manifest, layer.name, atlas));
  if (second && density?.of === "second") sources.push(secondSetSource(layer.name, atlas, second.title));
  return sources;
}

function atlasSource(manifest: Manifest, layer: string, atlas: AtlasEntry): ImageSource {
  const imageFolder = { url: "data/images", perFolder: manifest.images_per_folder };
  return {
    name: "atlas",
    label: "of the atlas",
    async countImages(area) {
      const finest = await loadFinestLevel(layer, atlas);
      const counts = Array.from({ length: finest.cells }, (_, cell) => finest.value("count", cell));
      const url = `data/${layer}/${atlas.name}`;
      return loadImageCounts({ url, perBlock: atlas.members_per_block, finest, counts }, area);
    },
    loadInfo: (images) => loadImageInfo(imageFolder, images),
  };
}

function secondSetSource(layer: string, atlas: AtlasEntry, title: string): ImageSource {
  const url = secondSetFolder(layer);
  return {
    name: "second",
    label: `of ${title}`,
    async countImages(area) {
      const finest = await loadFinestLevel(layer, atlas);
      const { levels, members_per_block: perBlock } = await loadSecondSet(layer);
      const found = levels[String(finest.size)];
      if (!found) return [];
      return loadImageCounts({ url, perBlock, finest, counts: await decodeArray(found.count) }, area);
    },
    async loadInfo(images) {
      const { images_per_folder: perFolder } = await loadSecondSet(layer);
      return loadImageInfo({ url: `${url}/images`, perFolder }, images);
    },
  };
}

function loadFinestLevel(layer: string, atlas: AtlasEntry): ReturnType<typeof loadLevel> {
  const finest = atlas.levels.at(-1);
  if (!finest) throw new Error(`${layer}/${atlas.name} has no levels`);
  return loadLevel(layer, atlas.name, finest.size);
}
