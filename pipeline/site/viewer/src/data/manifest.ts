// Manifest of the site, available before any other file is loaded; written by the stage `site`.

import { loadData } from "./data-files";
import { type IconStyle, inStyle, type WithStyles } from "./icon-styles";
import type { Synthesis } from "./syntheses";

export interface LevelEntry {
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly cells: number;
  readonly drawn: number;
  readonly samples: number;
  /** Cells with an icon to doubt, by reason, and with any. */
  readonly doubt: Readonly<Record<JudgedMeasure | "any", number>>;
  /** Whether its image is made of large icons, which have finer detail. */
  readonly large?: boolean;
  /** Side of a cell in its image of photographs, pixels; missing where there is none. */
  readonly photograph?: number;
  /** Channels whose mean activations share a file; missing where the level has none of its own. */
  readonly channels_per_block?: number;
}

export interface HeatmapEntry {
  /** Levels with heatmaps, coarse to fine. */
  readonly levels: readonly { readonly size: number; readonly classes_per_block: number }[];
  /** Attribution at a heatmap value of 1, in logits. */
  readonly scale: number;
  /** Median over cells of the largest attribution, in logits. */
  readonly strength: number;
}

/** Horizontal axis of a comparison: the right edge is `scale` logits in favor of the right class. */
export interface Axis {
  readonly scale: number;
  /** Share of the samples beyond the edges, moved onto them. */
  readonly clipped: number;
}

export interface AtlasEntry extends WithStyles {
  readonly name: string;
  /** All samples, the samples of one class, or those of two classes. */
  readonly kind: "all" | "class" | "compare";
  /** No class, one, or the left and the right one. */
  readonly classes: readonly number[];
  readonly axis: Axis | null;
  /** Samples per file of the images of cells. */
  readonly members_per_block: number;
  /** Levels with the number of samples per cell and label. */
  readonly label_levels: readonly { readonly size: number; readonly classes_per_block: number }[];
  /** Whether its regions have labels. */
  readonly regions: boolean;
  readonly levels: readonly LevelEntry[];
  readonly tiles: { readonly format: string; readonly tile_size: number; readonly overlap: number };
  readonly heatmap: HeatmapEntry | null;
}

export interface LayerEntry {
  readonly name: string;
  readonly channels: number;
  /** Height and width of the layer's map. */
  readonly map: readonly [number, number];
  readonly receptive_field: number;
  /** Side of an exemplar's patch relative to the input, and whether the receptive field is larger. */
  readonly patch: { readonly side: number; readonly limited: boolean };
  readonly zero_share: number | null;
  readonly atlases: readonly AtlasEntry[];
}

// Limits by which cells are judged, see verdict.ts.

export type JudgedMeasure = "fidelity" | "reliability" | "spread";

/** Limits of a measure: good at `good` and on its better side, to doubt on the worse side of `doubt`. */
export interface Limits {
  readonly good: number;
  readonly doubt: number;
}

export interface Verdict extends Readonly<Record<JudgedMeasure, Limits>> {
  /** Smallest attribution of a class that names a cell, in logits. */
  readonly attribution: number;
}

/** Provenance of the atlases, from the attributes of their artifacts. */
export interface Provenance {
  readonly network: {
    readonly architecture: unknown;
    /** SHA-256 of the weights. */
    readonly weights: string | null;
    readonly identity: string | null;
  };
  /** Digest of the images and their classes. */
  readonly images: string;
  /** By section: a group of settings, or one value shared by several stages. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Versions of the project that wrote the artifacts. */
  readonly versions: readonly string[];
  /** Digests by layer, atlas and artifact. */
  readonly identities: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
}

export interface Manifest {
  readonly title: string;
  readonly version: string;
  readonly network: { readonly name: string; readonly classes: readonly string[]; readonly crop: number };
  readonly layers: readonly LayerEntry[];
  /** Layer that the page opens on. */
  readonly initial_layer: string;
  /** Channels that have a page of their own, by layer. */
  readonly units: Readonly<Record<string, readonly number[]>>;
  /** Where heat maps explain outputs: `logits` and layers. */
  readonly explain: readonly string[];
  /** Methods by which pictures are synthesized. */
  readonly synthesize: readonly Synthesis[];
  readonly images: number;
  readonly images_per_folder: number;
  readonly provenance: Provenance;
  readonly exemplars: number;
  /** What only some runs have: attributions, predictions, labels that are classes of the network, a judge of the icons. */
  readonly recorded: Readonly<Record<"attributions" | "predictions" | "labels" | "judge", boolean>>;
  /** Limits by which cells are judged. */
  readonly verdict: Verdict;
  /** Whether tiles are stored as scripts too, whose pixels a page opened from disk may read. */
  readonly png_from_disk: boolean;
  /** A second image set placed on the atlas. */
  readonly second_image_set: { readonly title: string } | null;
}

/** Whether icons were pulled towards the feature statistics of exemplars. */
export function usesPrior({ provenance }: Manifest): boolean {
  const { render } = provenance.settings as { render?: Readonly<Record<string, unknown>> };
  return Boolean(render?.statistics);
}

/** What attributions compare an activation with; null where it is not recorded. */
export function baselineOf({ provenance }: Manifest): string | null {
  const { sample } = provenance.settings as { sample?: Readonly<Record<string, unknown>> };
  if (sample?.baseline === "mean") return "the layer’s mean activation";
  return sample?.baseline === "zero" ? "zero" : null;
}

/** The layer and atlas of these names, or the initial layer and the first atlas; in a style, by default its first. */
export function find(
  manifest: Manifest,
  layer: string,
  atlas: string,
  style: IconStyle | null = null,
): { layer: LayerEntry; atlas: AtlasEntry } {
  const layerOf = (name: string): LayerEntry | undefined =>
    manifest.layers.find((entry) => entry.name === name);
  const foundLayer = layerOf(layer) ?? layerOf(manifest.initial_layer) ?? manifest.layers[0];
  const foundAtlas = foundLayer?.atlases.find((entry) => entry.name === atlas) ?? foundLayer?.atlases[0];
  if (!foundLayer || !foundAtlas) throw new Error("the manifest contains no atlas");
  return { layer: foundLayer, atlas: inStyle(foundAtlas, style) };
}

/** Whether cells can show their nearest exemplars' patches in place of their icons. */
export function hasPhotographs({ layers }: Manifest): boolean {
  return layers.some(({ atlases }) =>
    atlases.some(({ levels }) => levels.some(({ photograph }) => photograph)),
  );
}

/** Cells per side of the levels that have icons, coarse to fine; of all levels where none has any. */
export function sizesWithIcons({ levels }: AtlasEntry): number[] {
  const drawn = levels.filter((level) => level.drawn > 0);
  return (drawn.length ? drawn : levels).map(({ size }) => size);
}

/** Names of an atlas's classes: none, one, or the left and the right one. */
export function classNames({ network }: Manifest, atlas: AtlasEntry): string[] {
  return atlas.classes.map((id) => network.classes[id] ?? `class ${id}`);
}

/** Short name, for lists. */
export function atlasName(manifest: Manifest, atlas: AtlasEntry): string {
  const [one, other] = classNames(manifest, atlas);
  if (one === undefined) return "All samples";
  return other === undefined ? one : `${one} ↔ ${other}`;
}

/** Description of the samples in an atlas. */
export function atlasDescription(manifest: Manifest, atlas: AtlasEntry): string {
  const [one, other] = classNames(manifest, atlas);
  if (one === undefined) return "All samples";
  return other === undefined ? `Samples of ${one}` : `Samples of ${one} and ${other}`;
}

/** All atlases of a run; they are the same at every layer. */
export function allAtlases(manifest: Manifest): readonly AtlasEntry[] {
  return manifest.layers[0]?.atlases ?? [];
}

/** Class atlas and comparisons of a class. */
export function atlasesOf(manifest: Manifest, classId: number): readonly AtlasEntry[] {
  return allAtlases(manifest).filter(({ classes }) => classes.includes(classId));
}

// Bookmarks of the run, written by the stage `site`; they are the stops of the tour.

export interface Bookmark {
  readonly title: string;
  readonly text: string;
  /** URL hash without `#`. */
  readonly link: string;
}

export interface BookmarkFile {
  /** Whether they were generated, because the configuration lists none. */
  readonly automatic: boolean;
  readonly bookmarks: readonly Bookmark[];
}

export function loadBookmarks(): Promise<BookmarkFile> {
  return loadData<BookmarkFile>("bookmarks");
}
