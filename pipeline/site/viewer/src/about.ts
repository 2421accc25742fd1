// Name, label and stored picture of images.

import { loadPartAt } from "./parts";

export interface About {
  /** Name of the image within its set. */
  readonly key: string;
  readonly label: string | null;
  /** Address of its picture, where one is stored. */
  readonly address: string | null;
}

/** Where an image set is described: a file and a folder of pictures for so many images each. */
export interface Described {
  readonly address: string;
  readonly perFolder: number;
}

type Listing = Readonly<Record<string, readonly [string, string | null, 0 | 1]>>;

/** What is known of these images, in their order. */
export async function loadAbout(
  { address, perFolder }: Described,
  images: readonly number[],
): Promise<About[]> {
  const folderOf = (image: number): number => Math.floor(image / perFolder);
  const folders = [...new Set(images.map(folderOf))];
  const loaded = await Promise.all(folders.map((folder) => loadPartAt<Listing>(`${address}/${folder}`)));
  const listings = new Map(folders.map((folder, index) => [folder, loaded[index]]));
  return images.map((image) => {
    const folder = folderOf(image);
    const [key, label, stored] = listings.get(folder)?.[String(image)] ?? [`image ${image}`, null, 0];
    return { key, label, address: stored ? `${address}/${folder}/${image}.webp` : null };
  });
}
