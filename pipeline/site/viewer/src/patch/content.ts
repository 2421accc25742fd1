// What the stage `patch` says of one comparison at one layer.

/** A mean and the ends of its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Rates {
  /** Share of pictures for which the target has the largest logit. */
  readonly becomes: Estimate;
  /** Share of pictures for which another class than the image's own has it. */
  readonly leaves: Estimate;
}

export interface Pooled extends Rates {
  /** Mean softmax of the class aimed at, and of the images' own class. */
  readonly target: Estimate;
  readonly source: Estimate;
}

/** Mean softmax at each size; `null` where nothing is known. */
export interface Curve {
  readonly target: readonly (number | null)[];
  readonly source: readonly (number | null)[];
  /** Of the class of the image that the patch was cut from. */
  readonly own: readonly (number | null)[];
}

/** A patch and where it was found; noise comes from nowhere. */
export interface Found {
  readonly picture: string | null;
  readonly own: number | null;
  readonly cell: { readonly size: number; readonly at: readonly [number, number] } | null;
  readonly key: string | null;
  readonly label: string | null;
}

export interface Kept extends Found {
  /** Side of the pasted patch, pixels. */
  readonly side: number;
  readonly corner: string;
  readonly static: Rates;
  readonly dynamic: Rates;
  readonly curve: Curve;
}

export type GroupName = "atlas" | "elsewhere" | "logit" | "random" | "noise";

export interface Group {
  readonly name: GroupName;
  readonly tried: number;
  readonly static: Pooled;
  readonly dynamic: Pooled;
  readonly curve: Curve;
  readonly patches: readonly Kept[];
}

export interface Example {
  readonly key: string;
  readonly label: string | null;
  /** Number of the atlas's kept patch. */
  readonly patch: number;
  readonly before: string | null;
  readonly after: string | null;
  /** Softmax before and after. */
  readonly softmax: {
    readonly target: readonly [number, number];
    readonly source: readonly [number, number];
  };
  readonly becomes: boolean;
  readonly leaves: boolean;
}

/** The atlas's rate of "becomes the target" minus a control's. */
export interface Added {
  readonly static: Estimate;
  readonly dynamic: Estimate;
}

interface Outline {
  readonly name: string;
  readonly source: number;
  readonly target: number;
  readonly images: {
    readonly listed: number;
    readonly shown: number;
    readonly right: number;
    readonly searched: number;
    readonly measured: number;
  };
  readonly candidates: { readonly wanted: number; readonly found: number };
}

export interface Untested extends Outline {
  /** Why there is no test. */
  readonly hindrance: string;
  readonly proposed: readonly Found[];
}

export interface Tested extends Outline {
  readonly hindrance: null;
  readonly before: { readonly target: number; readonly source: number };
  readonly groups: readonly Group[];
  readonly added: Readonly<Record<Exclude<GroupName, "atlas">, Added>> & {
    readonly best: "logit" | "random";
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
  readonly kept: number;
  readonly pool: number;
  readonly min_images: number;
  readonly resamples: number;
  readonly seed: number;
  readonly directions: readonly (Tested | Untested)[];
}
