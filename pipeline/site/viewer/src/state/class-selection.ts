// The highlighted classes: each keeps its color while others are added and removed.

import type { Heatmap } from "../data/attribution";
import type { Measure } from "../data/measures";

/** Number of colors in css/theme.css, `--class-1` to `--class-6`. */
export const MAX_CLASSES = 6;

export interface HighlightedClass {
  readonly id: number;
  /** Index of the color, from 0. */
  readonly hue: number;
}

/** A highlighted class with its heatmap at the shown level. */
export interface Highlight extends HighlightedClass {
  readonly heatmap: Heatmap;
}

export interface ClassSelection {
  readonly classId: number | null;
  /** Further highlighted classes; setting `classId` without them selects only that class. */
  readonly also: readonly number[];
  /** Colors of all highlighted classes, 0..5, if there are several. */
  readonly hues: readonly number[];
}

const NONE: readonly number[] = [];

export function highlightedClasses({ classId, also, hues }: ClassSelection): HighlightedClass[] {
  return selectedIds({ classId, also }).map((id, index) => ({ id, hue: hues[index] ?? index }));
}

/** Selection with one more class, in the first free color; unchanged if it is included or the maximum is reached. */
export function addClass(selection: ClassSelection, id: number): ClassSelection {
  const now = highlightedClasses(selection);
  if (now.length >= MAX_CLASSES || now.some((entry) => entry.id === id)) return selection;
  const taken = new Set(now.map(({ hue }) => hue));
  const hue = HUES.find((free) => !taken.has(free)) ?? 0;
  return selectionOf([...now, { id, hue }]);
}

export function removeClass(selection: ClassSelection, id: number): ClassSelection {
  return selectionOf(highlightedClasses(selection).filter((entry) => entry.id !== id));
}

/** Valid selection: further classes require a class that was not set alone, and exclude other colors. */
export function normalizeSelection(
  selection: ClassSelection,
  change: Partial<ClassSelection> & { readonly measure?: Measure | null; readonly channel?: number | null },
): ClassSelection {
  const { classId, also } = selection;
  const setAlone = !change.also && (change.classId !== undefined || colorsCells(change));
  return also.length && (classId === null || setAlone) ? { classId, also: NONE, hues: NONE } : selection;
}

/** Whether a change chooses a measure or a channel, whose colors take the place of the classes'. */
export function colorsCells(change: {
  readonly measure?: Measure | null;
  readonly channel?: number | null;
}): boolean {
  return Boolean(change.measure) || typeof change.channel === "number";
}

const HUES: readonly number[] = Array.from({ length: MAX_CLASSES }, (_, hue) => hue);

function selectionOf(entries: readonly HighlightedClass[]): ClassSelection {
  const [first, ...others] = entries;
  if (!first || !others.length) return { classId: first?.id ?? null, also: NONE, hues: NONE };
  return { classId: first.id, also: others.map(({ id }) => id), hues: entries.map(({ hue }) => hue) };
}

function selectedIds({ classId, also }: Pick<ClassSelection, "classId" | "also">): number[] {
  return classId === null ? [] : [classId, ...also];
}

// Conversion to and from the URL hash.

/** Further classes, and colors if they are not in order: `also=12.45`, `hues=2.1.3`. */
export function selectionToHash(selection: ClassSelection): readonly (readonly [string, string])[] {
  if (!selection.also.length) return [];
  const hues = highlightedClasses(selection).map(({ hue }) => hue);
  const also = ["also", selection.also.join(".")] as const;
  if (hues.every((hue, index) => hue === index)) return [also];
  return [also, ["hues", hues.map((hue) => hue + 1).join(".")]];
}

/** Selection of a URL hash; unknown classes are dropped. */
export function selectionFromHash(
  parts: URLSearchParams,
  classId: number | null,
  classes: readonly string[],
): ClassSelection {
  const ids =
    classId === null ? [] : parseNumbers(parts.get("also")).filter((id) => classes[id] !== undefined);
  const also = [...new Set(ids)].filter((id) => id !== classId).slice(0, MAX_CLASSES - 1);
  return { classId, also, hues: also.length ? parseHues(parts.get("hues"), also.length + 1) : [] };
}

function parseHues(text: string | null, classes: number): number[] {
  const hues = parseNumbers(text).map((hue) => hue - 1);
  const known = hues.every((hue) => hue >= 0 && hue < MAX_CLASSES);
  const one = hues.length === classes && new Set(hues).size === classes;
  return known && one ? hues : Array.from({ length: classes }, (_, hue) => hue);
}

function parseNumbers(text: string | null): number[] {
  return /^\d+(\.\d+)*$/.test(text ?? "") ? (text ?? "").split(".").map(Number) : [];
}
