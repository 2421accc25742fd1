// Samples of an atlas as points: those that the site has, an even choice of all.

import { decodeArray, type EncodedArray, loadData, memoize, type NumberArray } from "./data-files";
import type { GridView } from "./level";
import type { Manifest } from "./manifest";

export interface SampleSet {
  /** Number of the points, and of all samples of the atlas. */
  readonly count: number;
  readonly all: number;
  /** Positions on the map, in units of the atlas's side: x and y of each. */
  readonly xy: NumberArray;
  /** Class that is the image's label, -1 for none; null if the run has no such labels. */
  readonly label: NumberArray | null;
  /** Class that the network predicts for the image; null if it was not recorded. */
  readonly prediction: NumberArray | null;
  /** Row of the image, and (y, x) in the layer's map; null if the site shows no images. */
  readonly image: NumberArray | null;
  readonly position: NumberArray | null;
}

type Content = { readonly all: number; readonly xy: EncodedArray } & Readonly<
  Partial<Record<"label" | "prediction" | "image" | "position", EncodedArray>>
>;

export function loadSamples({ layer, atlas }: Pick<GridView, "layer" | "atlas">): Promise<SampleSet> {
  return loadSampleFile(`${layer.name}/${atlas.name}/samples`);
}

const loadSampleFile = memoize(async (name): Promise<SampleSet> => {
  const { all, xy, label, prediction, image, position } = await loadData<Content>(name);
  const decode = (encoded?: EncodedArray): Promise<NumberArray> | null =>
    encoded ? decodeArray(encoded) : null;
  return {
    count: xy.shape[0] ?? 0,
    all,
    xy: await decodeArray(xy),
    label: await decode(label),
    prediction: await decode(prediction),
    image: await decode(image),
    position: await decode(position),
  };
});

// Which of them are shown, and what their colors tell.

/** Whether the network predicts the class that is the image's label. */
export type Outcome = "right" | "wrong";

/** What colors tell apart. */
export type SampleColor = "outcome" | "label" | "prediction";

export const SAMPLE_COLORS: readonly SampleColor[] = ["outcome", "label", "prediction"];

export interface SampleFilter {
  readonly label: number | null;
  readonly prediction: number | null;
  readonly outcome: Outcome | null;
  /** Null for the first one that the run recorded. */
  readonly color: SampleColor | null;
}

export const NO_FILTER: SampleFilter = { label: null, prediction: null, outcome: null, color: null };

/** What a run recorded of these, in the order of preference. */
export function recordedColors({ recorded }: Pick<Manifest, "recorded">): SampleColor[] {
  const has = { label: recorded.labels, prediction: recorded.predictions };
  return SAMPLE_COLORS.filter((color) => (color === "outcome" ? has.label && has.prediction : has[color]));
}

export function outcomeOf({ label, prediction }: SampleSet, point: number): Outcome | null {
  const [own, predicted] = [label?.[point] ?? -1, prediction?.[point] ?? -1];
  if (own < 0 || predicted < 0) return null;
  return own === predicted ? "right" : "wrong";
}

/** Color of a group: a number of css/theme.css, `--class-<hue>`, or of the rest. */
export type Hue = number | "other" | "none";

export interface SampleGroup {
  readonly hue: Hue;
  /** Class, outcome, or what the rest is. */
  readonly of: number | Outcome | "other" | "none" | "all";
  /** Number of its shown points. */
  count: number;
}

export interface SampleView {
  readonly set: SampleSet;
  readonly color: SampleColor | null;
  /** The shown points, and the index of the group of each. */
  readonly points: Int32Array;
  readonly group: Int32Array;
  readonly groups: readonly SampleGroup[];
}

const HUES = 6;
const RIGHT_HUE = 3;
const WRONG_HUE = 1;

/** The points that pass a filter, in groups by color. */
export function viewSamples(
  set: SampleSet,
  filter: SampleFilter,
  colors: readonly SampleColor[],
): SampleView {
  const color = filter.color ?? colors[0] ?? null;
  const { groups, groupOf } = createGroups(set, color);
  const points = Int32Array.from({ length: set.count }, (_, point) => point).filter((point) =>
    passes(set, filter, point),
  );
  const group = points.map(groupOf);
  for (const index of group) {
    const found = groups[index];
    if (found) found.count += 1;
  }
  return { set, color, points, group, groups };
}

function passes(set: SampleSet, { label, prediction, outcome }: SampleFilter, point: number): boolean {
  return (
    (label === null || set.label?.[point] === label) &&
    (prediction === null || set.prediction?.[point] === prediction) &&
    (outcome === null || outcomeOf(set, point) === outcome)
  );
}

/** Groups of all points, so that filters do not change colors, and the index of the group of a point. */
function createGroups(
  set: SampleSet,
  color: SampleColor | null,
): { groups: SampleGroup[]; groupOf: (point: number) => number } {
  if (color === null) return { groups: [{ hue: WRONG_HUE, of: "all", count: 0 }], groupOf: () => 0 };
  if (color === "outcome") {
    const groups: SampleGroup[] = [
      { hue: RIGHT_HUE, of: "right", count: 0 },
      { hue: WRONG_HUE, of: "wrong", count: 0 },
      { hue: "none", of: "none", count: 0 },
    ];
    const index = { right: 0, wrong: 1 };
    return {
      groups,
      groupOf: (point) => {
        const outcome = outcomeOf(set, point);
        return outcome === null ? 2 : index[outcome];
      },
    };
  }
  const classes = set[color] ?? new Int32Array(set.count).fill(-1);
  const most = countClasses(classes).slice(0, HUES);
  const groups: SampleGroup[] = [
    ...most.map(({ id }, index): SampleGroup => ({ hue: index + 1, of: id, count: 0 })),
    { hue: "other", of: "other", count: 0 },
    { hue: "none", of: "none", count: 0 },
  ];
  const indices = new Map(most.map(({ id }, index) => [id, index]));
  return {
    groups,
    groupOf: (point) => {
      const id = classes[point] ?? -1;
      return id < 0 ? most.length + 1 : (indices.get(id) ?? most.length);
    },
  };
}

/** The classes of the points with their numbers of points, most first; without unknown ones. */
export function countClasses(classes: NumberArray): { readonly id: number; readonly count: number }[] {
  const found = new Map<number, number>();
  for (const id of classes) if (id >= 0) found.set(id, (found.get(id) ?? 0) + 1);
  return Array.from(found, ([id, count]) => ({ id, count })).sort(
    (one, other) => other.count - one.count || one.id - other.id,
  );
}
