// Name, label and stored picture of the run's images.

import type { Manifest } from "./manifest";
import { loadPart } from "./parts";

export interface About {
  /** Name of the image within its set. */
  readonly key: string;
  readonly label: string | null;
  /** Address of its picture, where one is stored. */
  readonly address: string | null;
}

type Listing = Readonly<Record<string, readonly [string, string | null, 0 | 1]>>;

/** What is known of these images, in their order. */
export async function loadAbout(manifest: Manifest, images: readonly number[]): Promise<About[]> {
  const folderOf = (image: number): number => Math.floor(image / manifest.images_per_folder);
  const folders = [...new Set(images.map(folderOf))];
  const loaded = await Promise.all(folders.map((folder) => loadPart<Listing>(`images/${folder}`)));
  const listings = new Map(folders.map((folder, index) => [folder, loaded[index]]));
  return images.map((image) => {
    const folder = folderOf(image);
    const [key, label, stored] = listings.get(folder)?.[String(image)] ?? [`image ${image}`, null, 0];
    return { key, label, address: stored ? `data/images/${folder}/${image}.webp` : null };
  });
}
