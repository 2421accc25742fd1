// What the stage `units` found, and the address of a unit's page.

import type { EncodedArray } from "../data/data-files";
import { loadDataFrom } from "../data/data-files";
import { parseInteger } from "../data/format";

export type ExampleKind = "highest" | "middle" | "lowest";
export type PictureRole = "high" | "low" | "facet" | "diverse";

export interface Example {
  /** Row of the image in the list of images. */
  readonly image: number;
  readonly key: string;
  readonly label: string | null;
  /** Row and column in the layer's map. */
  readonly position: readonly [number, number];
  readonly activation: number;
}

export interface UnitPicture {
  readonly role: PictureRole;
  /** Mean over transforms that the optimization did not see. */
  readonly activation: number;
}

export interface UnitResult {
  readonly channel: number;
  /** Name of the class, where the channels are the classes. */
  readonly name: string | null;
  readonly high: number;
  readonly low: number;
  /** Shares with an activation above zero. */
  readonly active: { readonly images: number; readonly positions: number };
  readonly histogram: { readonly start: number; readonly width: number; readonly counts: EncodedArray };
  /** Empty where the site shows no photographs. */
  readonly examples: Readonly<Partial<Record<ExampleKind, readonly Example[]>>>;
  readonly clarity: number | null;
  /** Patches of each cluster. */
  readonly clusters: readonly number[];
  readonly silhouette: number | null;
  /** The most correlated other channel; -1 where there is none. */
  readonly nearest: { readonly channel: number; readonly correlation: number | null };
  readonly pictures: readonly UnitPicture[];
  /** Activation maps of the images of the highest activations: how many, and the activation above which they are bright. */
  readonly maps: number;
  readonly threshold: number | null;
  /** The annotated concept of the largest intersection over union; null where the image set has no masks. */
  readonly concept: { readonly name: string; readonly iou: number | null } | null;
}

export type SheetName =
  | "ascent"
  | "start"
  | "regularization"
  | "preconditioning"
  | "interpolation"
  | "training"
  | "layers"
  | "directions"
  | "rotation"
  | "change"
  | "gradients";

export interface SheetCell {
  /** Of each unit of the row, as a multiple of the highest one in the images; empty where that is not measured. */
  readonly activation: readonly number[];
  readonly fidelity: number | null;
  /** Share of the judge’s deepest depths at which the picture’s unit is the nearest. */
  readonly recognized: number | null;
  /** Share of the unit’s strongest images that are also the strongest ones of the column’s network. */
  readonly shared: number | null;
  /** The annotated concept of the largest intersection over union. */
  readonly concept: { readonly name: string; readonly iou: number } | null;
  /** Root mean square of the difference from the photograph, of values in 0..1. */
  readonly change: number | null;
  /** Share of the gradient’s power at high frequencies. */
  readonly fine: number | null;
}

export interface SheetRow {
  readonly channels: readonly number[];
  readonly text: string;
  /** Between pictures: of pixels, and of activations. */
  readonly distance: readonly [number, number] | null;
  readonly cells: readonly (SheetCell | null)[];
}

export interface ComparisonSheet {
  readonly name: SheetName;
  readonly columns: readonly { readonly name: string; readonly text: string; readonly source: string }[];
  readonly rows: readonly SheetRow[];
}

export interface LayerUnits {
  readonly layer: string;
  readonly channels: number;
  readonly receptive_field: number;
  /** Sides of the patches of examples and of the input, pixels. */
  readonly patch: { readonly side: number; readonly input: number };
  readonly images: number;
  readonly objective: "channel" | "neuron" | "probability";
  readonly size: number;
  readonly units: readonly UnitResult[];
  readonly sheets: readonly ComparisonSheet[];
  readonly filters: readonly FilterSheet[];
  /** Mean intersection over union with the nearest concept: of the units, and of the axes of a random rotation. */
  readonly concepts: { readonly units: IntervalValue; readonly rotated: IntervalValue } | null;
}

/** The filters of a convolution, in one image. */
export interface FilterSheet {
  readonly layer: string;
  readonly filters: number;
  /** Height and width of a filter. */
  readonly size: readonly [number, number];
  /** Input channels of a filter. */
  readonly channels: number;
  /** They are the colors of the image. */
  readonly colors: boolean;
  /** Of the image, pixels. */
  readonly width: number;
  readonly height: number;
}

/** With its 95 % interval. */
export interface IntervalValue {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export function loadUnits(layer: string): Promise<LayerUnits> {
  const name = `units/${layer}`;
  return loadDataFrom<LayerUnits>(`${name}/units.js`, name);
}

/** What a unit is called; a class by its name. */
export function unitName({ channel, name }: Pick<UnitResult, "channel" | "name">): string {
  return name === null ? `Unit ${channel}` : `Class ${channel}: ${name}`;
}

/** Address of a file of the units of a layer, relative to the page. */
export function unitFile(
  layer: string,
  folder: "pictures" | "variants" | "examples" | "maps",
  channel: number,
): string {
  return `units/${encodeURIComponent(layer)}/${folder}/${channel}.webp`;
}

/** Address of the pictures of a sheet's row, side by side. */
export function sheetFile(layer: string, sheet: SheetName, row: number): string {
  return `units/${encodeURIComponent(layer)}/sheets/${sheet}/${row}.webp`;
}

/** Address of the filters of a convolution. */
export function filtersFile(layer: string, number: number): string {
  return `units/${encodeURIComponent(layer)}/filters/${number}.webp`;
}

export type SortKey = "channel" | "clarity" | "clusters" | "active" | "correlation" | "reached" | "concept";

export const SORTS: readonly { readonly key: SortKey; readonly label: string }[] = [
  { key: "channel", label: "channel" },
  { key: "clarity", label: "clarity, highest first" },
  { key: "clusters", label: "clusters, most first" },
  { key: "active", label: "share of images where active, lowest first" },
  { key: "correlation", label: "correlation with the nearest unit, highest first" },
  { key: "reached", label: "activation that the picture reaches, highest first" },
  { key: "concept", label: "overlap with a concept, highest first" },
];

/** What the page shows: all units of a layer, one, or a comparison sheet. */
export interface Selection {
  readonly layer: string;
  readonly unit: number | null;
  readonly sheet: string | null;
  readonly sort: SortKey;
}

export function fromHash(hash: string, layers: readonly string[]): Selection {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const wanted = values.get("layer") ?? "";
  const unit = parseInteger(values.get("unit"));
  const sort = SORTS.find(({ key }) => key === values.get("sort"))?.key ?? "channel";
  const layer = layers.includes(wanted) ? wanted : (layers[0] ?? "");
  return { layer, unit: Number.isNaN(unit) ? null : unit, sheet: values.get("sheet"), sort };
}

export function toHash({ layer, unit, sheet, sort }: Selection): string {
  const values = new URLSearchParams({ layer });
  if (unit !== null) values.set("unit", String(unit));
  else if (sheet !== null) values.set("sheet", sheet);
  if (sort !== "channel") values.set("sort", sort);
  return `#${values}`;
}

/** Activation of the first picture as a multiple of the highest in the images; NaN without a picture. */
export function reached({ pictures, high }: UnitResult): number {
  const picture = pictures.find(({ role }) => role === "high");
  return picture && high > 0 ? picture.activation / high : Number.NaN;
}

/** The units in an order; unknown values come last. */
export function sorted(units: readonly UnitResult[], key: SortKey): UnitResult[] {
  const value = (unit: UnitResult): number => {
    if (key === "clarity") return -(unit.clarity ?? Number.NaN);
    if (key === "clusters") return -unit.clusters.length;
    if (key === "active") return unit.active.images;
    if (key === "concept") return -(unit.concept?.iou ?? Number.NaN);
    if (key === "correlation") return -(unit.nearest.correlation ?? Number.NaN);
    return key === "reached" ? -reached(unit) : unit.channel;
  };
  const rank = (unit: UnitResult): number => {
    const found = value(unit);
    return Number.isNaN(found) ? Number.POSITIVE_INFINITY : found;
  };
  return [...units].sort((one, other) => {
    const difference = rank(one) - rank(other);
    return difference || one.channel - other.channel;
  });
}
