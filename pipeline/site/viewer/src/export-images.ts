// The images that have samples in a region as a table, those with the most first.

import { csv } from "./export-csv";
import type { ImageSource } from "./image-source";
import type { Area } from "./region-area";
import type { Scene } from "./scene";

export async function imagesTable(
  { layer, atlas, level }: Scene,
  area: Area,
  source: ImageSource,
): Promise<string> {
  const tallies = await source.members(area);
  const abouts = await source.about(tallies.map(({ image }) => image));
  const rows = tallies.map(({ samples }, index) => {
    const { key = "", label = null } = abouts[index] ?? {};
    return [layer.name, atlas.name, level.size, key, label, samples];
  });
  return csv(["layer", "atlas", "level", "image", "label", "samples"], rows);
}
