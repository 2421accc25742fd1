// What the stage `explain` found, and the address of an image's page.

import { loadDataFrom } from "../data/data-files";
import { activation, parseInteger, percent } from "../data/format";

export type MethodName =
  | "saliency"
  | "saliency_mask"
  | "guided_backpropagation"
  | "deconvolution"
  | "integrated_gradients"
  | "occlusion"
  | "occlusion_probability"
  | "cam"
  | "grad_cam"
  | "guided_grad_cam"
  | "activation_gradient";

/** With its 95 % interval over the images. */
export interface IntervalValue {
  readonly value: number;
  /** Null where there is no interval: of a single image. */
  readonly low: number | null;
  readonly high: number | null;
}

/** Null where it could not be measured. */
export type Measured = IntervalValue | null;

/** Null where something could not be measured. */
export type Values = readonly (number | null)[];

/** Means over the images, from no changed pixel to all of them. */
export interface Curves {
  readonly deletion: Values;
  readonly insertion: Values;
}

export type CurveKind = keyof Curves;
export type ControlName = "random" | "center";

export interface Verdict {
  /** Areas under the curves. */
  readonly deletion: Measured;
  readonly insertion: Measured;
  /** Paired differences: the method’s area minus the control’s. */
  readonly deletion_random: Measured;
  readonly deletion_center: Measured;
  readonly insertion_random: Measured;
  readonly insertion_center: Measured;
  readonly grid_pointing: Measured;
  readonly pointing: Measured;
  readonly mask_iou: Measured;
  /** Similarity to the maps of the trained network, after each step. */
  readonly randomization: readonly Measured[] | null;
  readonly completeness: number | null;
}

/** A method, with the layer whose map it uses. */
export interface Column {
  readonly method: MethodName;
  /** Empty for methods that use none. */
  readonly layer: string;
  readonly signed: boolean;
  /** Absolute value of full color. */
  readonly scale: number;
  /** Height and width of the heat maps, before they are enlarged. */
  readonly grid: readonly [number, number];
  /** Rows whose heat map is the same everywhere. */
  readonly constant: number;
  readonly verdict: Verdict;
  readonly curves: Curves;
}

export interface Control {
  readonly deletion: Measured;
  readonly insertion: Measured;
  readonly pointing: Measured;
  readonly mask_iou: Measured;
  readonly curves: Curves;
}

export interface Cell {
  readonly constant: boolean;
  /** Areas under the curves of this heat map. */
  readonly deletion: number | null;
  readonly insertion: number | null;
}

/** An explained class or unit of an image. */
export interface Row {
  /** Row of the image in the list of images. */
  readonly image: number;
  readonly key: string;
  readonly label: string | null;
  readonly unit: number;
  /** Of the class; null for units of a layer. */
  readonly name: string | null;
  /** Logit, or highest activation. */
  readonly score: number;
  /** Probability of the class; null for units. */
  readonly share: number | null;
  /** Number of the file with its pictures. */
  readonly strip: number;
  readonly cells: readonly Cell[];
}

/** The linear head that class activation maps need. */
export interface Head {
  readonly layer: string;
  readonly kind: "linear" | "map" | "fitted";
  readonly agreement: number | null;
  /** Of the network and of the fitted head, on other images with a label. */
  readonly accuracy: readonly [number, number] | null;
}

export type Space = "pixels" | "features";

/** The images of the set that are nearest to each explained one. */
export interface Neighbors {
  readonly count: number;
  /** The layer that the features are of. */
  readonly feature?: string;
  readonly images: Readonly<Record<string, Readonly<Record<Space, readonly number[]>>>>;
  /** Key and label by row of the image. */
  readonly names: Readonly<Record<string, readonly [string, string | null]>>;
  /** Share of the nearest images that have the image’s label. */
  readonly agreement: Readonly<Record<Space, Measured>> | null;
}

/** The smallest change that was found which makes the network predict another class. */
export interface Fooling {
  /** Index of the explained row. */
  readonly row: number;
  /** What the network predicts for the image itself. */
  readonly predicted_name: string;
  readonly target: number;
  readonly target_name: string;
  /** Largest change of a value, in levels of 0..255; null where the search found none. */
  readonly linf: number | null;
  /** Euclidean norm, of values in 0..1, of another change: the smallest that was found by this norm. */
  readonly l2: number | null;
  /** By which the shown change is amplified. */
  readonly factor: number;
  /** Probability of the image’s own class before the change, and of the target after it. */
  readonly own: number | null;
  readonly probability: number | null;
  /** Of the target in the image from noise. */
  readonly noise_probability?: number | null;
  /** Whether it holds after the changed image was saved. */
  readonly png: boolean;
  readonly jpeg: boolean;
  /** Share of the positions that resemble another cell of the atlas most after the change, for each layer. */
  readonly moved?: readonly {
    readonly layer: string;
    readonly level: number;
    readonly share: number | null;
  }[];
  /** Probabilities along the change, at equal steps from none of it to one and a half times. */
  readonly path: { readonly own: Values; readonly target: Values };
}

export interface Settings {
  readonly fill: "gray" | "mean" | "blur";
  readonly baseline: "gray" | "mean" | "blur" | "black";
  readonly integration_steps: number;
  readonly occlusion_size: number;
  readonly occlusion_stride: number;
  readonly mosaics: number;
  readonly randomized_images: number;
  readonly curve_steps: number;
}

export interface Explanations {
  readonly layer: string;
  readonly of_classes: boolean;
  /** Sides of the network’s input and of a picture in a strip, pixels. */
  readonly side: number;
  readonly thumbnail: number;
  readonly images: number;
  readonly photographs: boolean;
  readonly settings: Settings;
  readonly head: Head | null;
  readonly columns: readonly Column[];
  readonly controls: Readonly<Record<ControlName, Control>>;
  readonly randomization: { readonly steps: readonly string[]; readonly images: number } | null;
  readonly mosaics:
    | { readonly count: number; readonly full_size: boolean }
    | { readonly reason: string }
    | null;
  readonly rows: readonly Row[];
  readonly neighbors: Neighbors | null;
  readonly fooling: readonly Fooling[] | null;
  /** Where the positions of each image fall in the atlas of each layer; absent where units are explained. */
  readonly atlas?: readonly AtlasPositions[];
  readonly regions?: Regions | null;
}

/** The positions of the explained images in a layer’s atlas of all samples. */
export interface AtlasPositions {
  readonly layer: string;
  /** Cells a side. */
  readonly level: number;
  /** By row of the image. */
  readonly images: Readonly<
    Record<
      string,
      {
        /** Rows and columns of the layer’s map. */
        readonly size: readonly [number, number];
        /** Row and column of the cell that each position resembles most, row by row. */
        readonly cells: readonly (readonly [number, number])[];
        /** Centered cosine to the mean of that cell. */
        readonly similarity: Values;
      }
    >
  >;
}

/** A box in an image, and the images that are most like it. */
export interface RegionBox {
  readonly image: number;
  readonly key: string;
  readonly label: string | null;
  /** Left, top, right and bottom, shares of the network’s crop. */
  readonly box: readonly [number, number, number, number];
  readonly cell: {
    readonly level: number;
    readonly cell: readonly [number, number];
    readonly similarity: number | null;
  } | null;
  readonly matches: readonly {
    readonly image: number;
    readonly key: string;
    readonly label: string | null;
    readonly similarity: number | null;
    /** Of the position, from the left and from the top, shares of the network’s crop. */
    readonly center: readonly [number, number];
  }[];
}

export interface Regions {
  readonly layer: string;
  /** Side of the part of an image around a position, as a share of the network’s crop. */
  readonly patch: number;
  readonly boxes: readonly RegionBox[];
}

export const CONTROLS: readonly ControlName[] = ["random", "center"];
export const CONTROL_NAMES: Readonly<Record<ControlName, string>> = {
  random: "random order",
  center: "center blob",
};

export function loadExplanations(layer: string): Promise<Explanations> {
  const name = `explain/${layer}`;
  return loadDataFrom<Explanations>(`${name}/explain.js`, name);
}

/** Address of a file of the explanations of a layer, relative to the page. */
export function explainFile(
  layer: string,
  folder: "rows" | "thumbnails" | "fooling",
  number: number,
): string {
  return `explain/${encodeURIComponent(layer)}/${folder}/${number}.webp`;
}

/** Address of the picture of an image’s positions in the atlas of a layer, relative to the page. */
export function atlasFile(explained: string, layer: string, image: number): string {
  return `explain/${encodeURIComponent(explained)}/atlas/${encodeURIComponent(layer)}/${image}.webp`;
}

/** Address of the picture of a changed image’s positions in the atlas of a layer, relative to the page. */
export function changedFile(explained: string, layer: string, row: number): string {
  return `explain/${encodeURIComponent(explained)}/fooling/${encodeURIComponent(layer)}/${row}.webp`;
}

/** What is explained at a layer. */
export function subject(layer: string): string {
  return layer === "logits" ? "classes" : `units of ${layer}`;
}

/** The class or unit that is explained in an image. */
export function rowName({ name, unit }: Pick<Row, "name" | "unit">): string {
  return name ?? `Unit ${unit}`;
}

/** The probability of a class, or the activation of a unit. */
export function describeScore({ share, score }: Row): string {
  return share === null ? `activation ${activation(score)}` : `probability ${percent(share)}`;
}

/** What the page shows: all images of a layer, or one of its rows. */
export interface Selection {
  readonly layer: string;
  readonly row: number | null;
}

export function fromHash(hash: string, layers: readonly string[]): Selection {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const wanted = values.get("layer") ?? "";
  const row = parseInteger(values.get("row"));
  return {
    layer: layers.includes(wanted) ? wanted : (layers[0] ?? ""),
    row: Number.isNaN(row) ? null : row,
  };
}

export function toHash({ layer, row }: Selection): string {
  const values = new URLSearchParams({ layer });
  if (row !== null) values.set("row", String(row));
  return `#${values}`;
}
