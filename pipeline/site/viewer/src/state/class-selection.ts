// The highlighted classes: each has a colour of its own, which stays with it while others come and go.

import type { Heatmap } from "../data/attribution";
import type { Measure } from "../data/measures";

/** As many as css/theme.css has colours for, `--class-1` to `--class-6`. */
export const MAX_CLASSES = 6;

export interface HighlightedClass {
  readonly id: number;
  /** Which of the colours, from 0. */
  readonly hue: number;
}

/** A highlighted class with what its attributions are at the shown level. */
export interface Highlight extends HighlightedClass {
  readonly heat: Heatmap;
}

export interface RadioGroup {
  readonly classId: number | null;
  /** Further highlighted classes; naming a class without them means it alone. */
  readonly also: readonly number[];
  /** The colours of all highlighted classes, 0..5, where they are several. */
  readonly hues: readonly number[];
}

const NONE: readonly number[] = [];

export function highlightedClasses({ classId, also, hues }: RadioGroup): HighlightedClass[] {
  return selectedIds({ classId, also }).map((id, place) => ({ id, hue: hues[place] ?? place }));
}

/** The choice with one more class, in the first colour that is free; unchanged where it is in it or there is no room. */
export function addClass(choice: RadioGroup, id: number): RadioGroup {
  const now = highlightedClasses(choice);
  if (now.length >= MAX_CLASSES || now.some((entry) => entry.id === id)) return choice;
  const taken = new Set(now.map(({ hue }) => hue));
  const hue = HUES.find((free) => !taken.has(free)) ?? 0;
  return selectionOf([...now, { id, hue }]);
}

export function removeClass(choice: RadioGroup, id: number): RadioGroup {
  return selectionOf(highlightedClasses(choice).filter((entry) => entry.id !== id));
}

/** What a state may hold: companions only beside a class that was not named alone, and no other colours over them. */
export function normalizeSelection(
  selection: RadioGroup,
  change: Partial<RadioGroup> & { readonly measure?: Measure | null },
): RadioGroup {
  const { classId, also } = selection;
  const ids = !change.also && (change.classId !== undefined || Boolean(change.measure));
  return also.length && (classId === null || ids) ? { classId, also: NONE, hues: NONE } : selection;
}

const HUES: readonly number[] = Array.from({ length: MAX_CLASSES }, (_, hue) => hue);

function selectionOf(entries: readonly HighlightedClass[]): RadioGroup {
  const [first, ...others] = entries;
  if (!first || !others.length) return { classId: first?.id ?? null, also: NONE, hues: NONE };
  return { classId: first.id, also: others.map(({ id }) => id), hues: entries.map(({ hue }) => hue) };
}

function selectedIds({ classId, also }: Pick<RadioGroup, "classId" | "also">): number[] {
  return classId === null ? [] : [classId, ...also];
}

// The highlighted classes as parts of a link, and back.

/** The companions, and the colours where these are not in order: `also=12.45`, `hues=2.1.3`. */
export function selectionToHash(choice: RadioGroup): readonly (readonly [string, string])[] {
  if (!choice.also.length) return [];
  const hues = highlightedClasses(choice).map(({ hue }) => hue);
  const also = ["also", choice.also.join(".")] as const;
  if (hues.every((hue, place) => hue === place)) return [also];
  return [also, ["hues", hues.map((hue) => hue + 1).join(".")]];
}

/** The choice that a link asks for beside its class; what the network does not have is left out. */
export function selectionFromHash(
  parts: URLSearchParams,
  classId: number | null,
  classes: readonly string[],
): RadioGroup {
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
