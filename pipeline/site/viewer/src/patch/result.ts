// Result of the stage `patch` for one comparison at one layer.

import type { Manifest } from "../data/manifest";

/** Mean with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Rates {
  /** Share of images for which the target has the largest logit. */
  readonly targeted: Estimate;
  /** Share of images for which another class than their own has it. */
  readonly untargeted: Estimate;
}

export interface PooledRates extends Rates {
  /** Mean softmax of the target class, and of the images' own class. */
  readonly target: Estimate;
  readonly source: Estimate;
}

/** Mean softmax per size; `null` if unknown. */
export interface Curve {
  readonly target: readonly (number | null)[];
  readonly source: readonly (number | null)[];
  /** Of the class of the image that the patch was cropped from. */
  readonly own: readonly (number | null)[];
}

/** A patch and its origin; noise has none. */
export interface FoundPatch {
  readonly file: string | null;
  readonly own: number | null;
  readonly cell: { readonly size: number; readonly at: readonly [number, number] } | null;
  readonly key: string | null;
  readonly label: string | null;
}

export interface SelectedPatch extends FoundPatch {
  /** Side of the pasted patch, pixels. */
  readonly side: number;
  readonly corner: string;
  readonly static: Rates;
  readonly dynamic: Rates;
  readonly curve: Curve;
}

export type GroupName = "atlas" | "same_image" | "logit" | "random" | "noise";

export interface Group {
  readonly name: GroupName;
  readonly patches_tested: number;
  readonly static: PooledRates;
  readonly dynamic: PooledRates;
  readonly curve: Curve;
  readonly patches: readonly SelectedPatch[];
}

export interface Example {
  readonly key: string;
  readonly label: string | null;
  /** Index of the atlas's patch. */
  readonly patch: number;
  readonly before: string | null;
  readonly after: string | null;
  /** Softmax before and after. */
  readonly softmax: {
    readonly target: readonly [number, number];
    readonly source: readonly [number, number];
  };
  readonly targeted: boolean;
  readonly untargeted: boolean;
}

/** The atlas's targeted rate minus a control's. */
export interface Difference {
  readonly static: Estimate;
  readonly dynamic: Estimate;
}

interface DirectionSummary {
  readonly name: string;
  readonly source: number;
  readonly target: number;
  readonly images: {
    readonly listed: number;
    readonly evaluated: number;
    readonly correct: number;
    readonly searched: number;
    readonly measured: number;
  };
  readonly candidates: { readonly requested: number; readonly found: number };
}

export interface Untested extends DirectionSummary {
  /** Why there is no test. */
  readonly skip_reason: string;
  readonly candidate_patches: readonly FoundPatch[];
}

export interface Tested extends DirectionSummary {
  readonly skip_reason: null;
  readonly before: { readonly target: number; readonly source: number };
  readonly groups: readonly Group[];
  readonly differences: Readonly<Record<Exclude<GroupName, "atlas">, Difference>> & {
    readonly best_control: "logit" | "random";
  };
  readonly examples: readonly Example[];
}

export interface PatchTest {
  readonly layer: string;
  readonly atlas: string;
  /** Side of the network's input, pixels. */
  readonly crop: number;
  readonly patch: { readonly side: number; readonly limited: boolean };
  readonly sizes: readonly number[];
  readonly curve: readonly number[];
  readonly keep: number;
  readonly pool: number;
  readonly min_images: number;
  readonly resamples: number;
  readonly seed: number;
  readonly directions: readonly (Tested | Untested)[];
}

// The shown test; its URL hash is layer/atlas/direction.

export interface Selection {
  readonly layer: string;
  readonly atlas: string;
  /** `<source>-<target>`, class ids. */
  readonly direction: string;
}

/** Names of a run's comparisons; they are the same at every layer. */
export function listComparisons(manifest: Manifest): readonly string[] {
  const names = manifest.layers[0]?.atlases.map(({ name }) => name) ?? [];
  return names.filter((name) => /^compare-\d+-\d+$/.test(name));
}

/** The left and the right class of a comparison. */
export function classPair(atlas: string): readonly [number, number] {
  const [, left, right] = atlas.split("-").map(Number);
  return [left ?? 0, right ?? 0];
}

export function toHash({ layer, atlas, direction }: Selection): string {
  return `#${[layer, atlas, direction].map(encodeURIComponent).join("/")}`;
}

/** The test of a URL hash; unknown parts fall back to the last layer and the first comparison. */
export function fromHash(hash: string, manifest: Manifest): Selection | null {
  const [layer = "", atlas = "", direction = ""] = hash.replace(/^#/, "").split("/").map(decode);
  const names = listComparisons(manifest);
  const selected = names.includes(atlas) ? atlas : names[0];
  const layers = manifest.layers.map(({ name }) => name);
  const shown = layers.includes(layer) ? layer : layers.at(-1);
  if (selected === undefined || shown === undefined) return null;
  const [left, right] = classPair(selected);
  const both = [`${left}-${right}`, `${right}-${left}`];
  const shownDirection = both.includes(direction) ? direction : (both[0] ?? "");
  return { layer: shown, atlas: selected, direction: shownDirection };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

// Names of the groups, and formatting.

export const GROUP_NAMES: Readonly<Record<GroupName, { readonly name: string; readonly what: string }>> = {
  atlas: { name: "From the atlas", what: "exemplars of the cells at the target’s end of the axis" },
  same_image: {
    name: "Same images, random positions",
    what: "the atlas’s images, cropped at random positions",
  },
  logit: { name: "Ranked by the logit", what: "natural patches with the largest logit" },
  random: { name: "Random natural patches", what: "random positions of images of other classes" },
  noise: { name: "Noise", what: "natural colors and spectrum, no shapes" },
};

/** Context of all parts of the page. */
export interface PatchContext<Direction = Tested | Untested> {
  readonly manifest: Manifest;
  readonly test: PatchTest;
  readonly direction: Direction;
  readonly source: string;
  readonly target: string;
}

export function className(manifest: Manifest, id: number): string {
  return manifest.network.classes[id] ?? `class ${id}`;
}

/** URL of an image of the result, relative to the page. */
export function imageUrl({ test }: PatchContext<unknown>, file: string): string {
  return `patch/${test.layer}/${test.atlas}/${file}`;
}

export function formatShare(value: number): string {
  return `${(100 * value).toFixed(1).replace("-", "−")} %`;
}

export function formatInterval({ low, high }: Estimate): string {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`.replaceAll("-", "−");
}

/** Difference of shares in percentage points, with sign. */
export function formatPoints(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`;
}

/** Sizes as percentages of the input's side. */
export function formatSizes(shares: readonly number[]): string {
  const all = shares.map((value) => String(Math.round(100 * value)));
  const last = all.pop() ?? "";
  return `${all.length ? `${all.join(", ")} and ` : ""}${last} %`;
}
