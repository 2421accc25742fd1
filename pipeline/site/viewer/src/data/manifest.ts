// What the page knows before anything else is loaded; written by the stage `site`.

import { loadData } from "./data-files";

export interface LevelEntry {
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly cells: number;
  readonly drawn: number;
  readonly samples: number;
}

export interface HeatmapEntry {
  /** Levels that have heat planes, coarse to fine. */
  readonly levels: readonly { readonly size: number; readonly classes_per_block: number }[];
  /** The attribution that a heat of 1 stands for, logit. */
  readonly scale: number;
  /** Median over cells of the strongest class's attribution, logit. */
  readonly strength: number;
}

/** What the x of a comparison means: the right edge stands for `scale` logit in favour of the right class. */
export interface Axis {
  readonly scale: number;
  /** Share of the samples that lie beyond the edges and were moved onto them. */
  readonly clipped: number;
}

export interface AtlasEntry {
  readonly name: string;
  /** Every sample, the samples of one class, or those of two classes side by side. */
  readonly kind: "all" | "class" | "compare";
  /** None, one, or the left and the right one. */
  readonly classes: readonly number[];
  readonly axis: Axis | null;
  /** Samples in each file of images that cells hold. */
  readonly members_per_block: number;
  /** Levels that say how many samples of each cell come from images of each class. */
  readonly label_levels: readonly { readonly size: number; readonly classes_per_block: number }[];
  /** Whether its regions have names. */
  readonly names: boolean;
  readonly levels: readonly LevelEntry[];
  readonly tiles: { readonly format: string; readonly tile_size: number; readonly overlap: number };
  readonly heat: HeatmapEntry | null;
}

export interface LayerEntry {
  readonly name: string;
  readonly channels: number;
  /** Height and width of the layer's map. */
  readonly map: readonly [number, number];
  readonly receptive_field: number;
  /** Side of an exemplar's patch as a share of the input, and whether the receptive field is larger. */
  readonly patch: { readonly side: number; readonly limited: boolean };
  readonly zero_share: number | null;
  readonly atlases: readonly AtlasEntry[];
}

/** How the atlases were made, as their artifacts tell it. */
export interface Made {
  readonly network: {
    readonly architecture: unknown;
    /** SHA-256 of the weights. */
    readonly weights: string | null;
    readonly identity: string | null;
  };
  /** Digest of the images and their classes. */
  readonly images: string;
  /** By section: a group of settings, or one value that several stages share. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of the project that made the artifacts. */
  readonly versions: readonly string[];
  /** Digests by layer, atlas and artifact. */
  readonly identities: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
}

export interface Manifest {
  readonly title: string;
  readonly version: string;
  readonly network: { readonly name: string; readonly classes: readonly string[]; readonly crop: number };
  readonly layers: readonly LayerEntry[];
  readonly images: number;
  readonly images_per_folder: number;
  readonly made: Made;
  readonly exemplars: number;
  /** A second image set that was placed on the atlas. */
  readonly second: { readonly title: string } | null;
}

/** The layer and atlas of these names, or the first ones. */
export function find(
  manifest: Manifest,
  layer: string,
  atlas: string,
): { layer: LayerEntry; atlas: AtlasEntry } {
  const foundLayer = manifest.layers.find((entry) => entry.name === layer) ?? manifest.layers[0];
  const foundAtlas = foundLayer?.atlases.find((entry) => entry.name === atlas) ?? foundLayer?.atlases[0];
  if (!foundLayer || !foundAtlas) throw new Error("the manifest contains no atlas");
  return { layer: foundLayer, atlas: foundAtlas };
}

// The atlases of a run in words.

/** The names of an atlas's classes: none, one, or the left and the right one. */
export function classNames({ network }: Manifest, atlas: AtlasEntry): string[] {
  return atlas.classes.map((id) => network.classes[id] ?? `class ${id}`);
}

/** A short name, as lists have it. */
export function atlasName(manifest: Manifest, atlas: AtlasEntry): string {
  const [one, other] = classNames(manifest, atlas);
  if (one === undefined) return "All samples";
  return other === undefined ? one : `${one} ↔ ${other}`;
}

/** What the atlas holds. */
export function atlasDescription(manifest: Manifest, atlas: AtlasEntry): string {
  const [one, other] = classNames(manifest, atlas);
  if (one === undefined) return "All samples";
  return other === undefined ? `Samples of ${one}` : `Samples of ${one} and ${other}`;
}

/** The atlases of a run; every layer has the same ones. */
export function allAtlases(manifest: Manifest): readonly AtlasEntry[] {
  return manifest.layers[0]?.atlases ?? [];
}

/** The atlases of this class alone and the comparisons that involve it. */
export function atlasesOf(manifest: Manifest, classId: number): readonly AtlasEntry[] {
  return allAtlases(manifest).filter(({ classes }) => classes.includes(classId));
}

// The places that the run itself leads to; written by the stage `site`.

export interface Bookmark {
  readonly title: string;
  readonly text: string;
  /** The part of the page's address after `#`. */
  readonly link: string;
}

export interface BookmarkFile {
  /** They were made from the figures of the run, since its configuration names none. */
  readonly automatic: boolean;
  readonly places: readonly Bookmark[];
}

export function loadBookmarks(): Promise<BookmarkFile> {
  return loadData<BookmarkFile>("places");
}
