// Where the images of cells come from: the atlas's own image set, or the second one that was placed on it.

import { type About, loadAbout } from "./about";
import { loadLevel } from "./level-data";
import type { AtlasEntry, Manifest } from "./manifest";
import { loadMembers, type Tally } from "./members";
import { loadPlaced, placedAt } from "./placed";
import type { Area } from "./region-area";
import type { Scene } from "./scene";
import { unpack } from "./unpack";

export interface ImageSource {
  readonly name: "atlas" | "second";
  /** Whose images they are. */
  readonly face: string;
  /** The images that have samples in a region, those with the most first. */
  members(area: Area): Promise<Tally[]>;
  /** What is known of these images, in their order. */
  about(images: readonly number[]): Promise<About[]>;
}

/** The sets whose images can be listed: the second one while the page shows where it falls. */
export function imageSources(manifest: Manifest, { layer, atlas, density }: Scene): ImageSource[] {
  const { exemplars, second } = manifest;
  const sources: ImageSource[] = [];
  if (exemplars) sources.push(ofAtlas(manifest, layer.name, atlas));
  if (second && density?.of === "second") sources.push(ofSecond(layer.name, atlas, second.title));
  return sources;
}

function ofAtlas(manifest: Manifest, layer: string, atlas: AtlasEntry): ImageSource {
  const described = { address: "data/images", perFolder: manifest.images_per_folder };
  return {
    name: "atlas",
    face: "of the atlas",
    async members(area) {
      const finest = await loadFinest(layer, atlas);
      const counts = Array.from({ length: finest.cells }, (_, cell) => finest.value("count", cell));
      const address = `data/${layer}/${atlas.name}`;
      return loadMembers({ address, perBlock: atlas.members_per_block, finest, counts }, area);
    },
    about: (images) => loadAbout(described, images),
  };
}

function ofSecond(layer: string, atlas: AtlasEntry, title: string): ImageSource {
  const address = placedAt(layer);
  return {
    name: "second",
    face: `of ${title}`,
    async members(area) {
      const finest = await loadFinest(layer, atlas);
      const { levels, members_per_block: perBlock } = await loadPlaced(layer);
      const found = levels[String(finest.size)];
      if (!found) return [];
      return loadMembers({ address, perBlock, finest, counts: await unpack(found.count) }, area);
    },
    async about(images) {
      const { images_per_folder: perFolder } = await loadPlaced(layer);
      return loadAbout({ address: `${address}/images`, perFolder }, images);
    },
  };
}

function loadFinest(layer: string, atlas: AtlasEntry): ReturnType<typeof loadLevel> {
  const finest = atlas.levels.at(-1);
  if (!finest) throw new Error(`${layer}/${atlas.name} has no levels`);
  return loadLevel(layer, atlas.name, finest.size);
}
