// What the page knows before anything else is loaded; written by the stage `site`.

export interface LevelEntry {
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly cells: number;
  readonly drawn: number;
  readonly samples: number;
}

export interface HeatEntry {
  /** Levels that have heat planes, coarse to fine. */
  readonly levels: readonly { readonly size: number; readonly classes_per_block: number }[];
  /** The attribution that a heat of 1 stands for, logit. */
  readonly scale: number;
  /** Median over cells of the strongest class's attribution, logit. */
  readonly strength: number;
}

export interface AtlasEntry {
  readonly name: string;
  readonly levels: readonly LevelEntry[];
  readonly tiles: { readonly format: string; readonly tile_size: number; readonly overlap: number };
  readonly heat: HeatEntry | null;
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

export interface Manifest {
  readonly title: string;
  readonly version: string;
  readonly network: { readonly name: string; readonly classes: readonly string[]; readonly crop: number };
  readonly layers: readonly LayerEntry[];
  readonly images: number;
  readonly images_per_folder: number;
  readonly exemplars: number;
}

/** The layer and atlas of these names, or the first ones. */
export function find(
  manifest: Manifest,
  layer: string,
  atlas: string,
): { layer: LayerEntry; atlas: AtlasEntry } {
  const foundLayer = manifest.layers.find((entry) => entry.name === layer) ?? manifest.layers[0];
  const foundAtlas = foundLayer?.atlases.find((entry) => entry.name === atlas) ?? foundLayer?.atlases[0];
  if (!foundLayer || !foundAtlas) throw new Error("the manifest lists no atlas");
  return { layer: foundLayer, atlas: foundAtlas };
}
