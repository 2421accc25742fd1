// The highlighted classes: each has a colour of its own, which stays with it while others come and go.

import type { Heat } from "../data/attribution";
import type { Measure } from "../data/measures";

/** As many as css/theme.css has colours for, `--class-1` to `--class-6`. */
export const MOST_CLASSES = 6;

export interface Chosen {
  readonly id: number;
  /** Which of the colours, from 0. */
  readonly hue: number;
}

/** A highlighted class with what its attributions are at the shown level. */
export interface Highlight extends Chosen {
  readonly heat: Heat;
}

export interface Choice {
  readonly classId: number | null;
  /** Further highlighted classes; naming a class without them means it alone. */
  readonly also: readonly number[];
  /** The colours of all highlighted classes, 0..5, where they are several. */
  readonly hues: readonly number[];
}

const NONE: readonly number[] = [];

export function chosen({ classId, also, hues }: Choice): Chosen[] {
  return idsOf({ classId, also }).map((id, place) => ({ id, hue: hues[place] ?? place }));
}

/** The choice with one more class, in the first colour that is free; unchanged where it is in it or there is no room. */
export function withClass(choice: Choice, id: number): Choice {
  const now = chosen(choice);
  if (now.length >= MOST_CLASSES || now.some((entry) => entry.id === id)) return choice;
  const taken = new Set(now.map(({ hue }) => hue));
  const hue = HUES.find((free) => !taken.has(free)) ?? 0;
  return choiceOf([...now, { id, hue }]);
}

export function withoutClass(choice: Choice, id: number): Choice {
  return choiceOf(chosen(choice).filter((entry) => entry.id !== id));
}

/** What a state may hold: companions only beside a class that was not named alone, and no other colours over them. */
export function consistentChoice(
  asked: Choice,
  change: Partial<Choice> & { readonly measure?: Measure | null },
): Choice {
  const { classId, also } = asked;
  const named = !change.also && (change.classId !== undefined || Boolean(change.measure));
  return also.length && (classId === null || named) ? { classId, also: NONE, hues: NONE } : asked;
}

const HUES: readonly number[] = Array.from({ length: MOST_CLASSES }, (_, hue) => hue);

function choiceOf(entries: readonly Chosen[]): Choice {
  const [first, ...others] = entries;
  if (!first || !others.length) return { classId: first?.id ?? null, also: NONE, hues: NONE };
  return { classId: first.id, also: others.map(({ id }) => id), hues: entries.map(({ hue }) => hue) };
}

function idsOf({ classId, also }: Pick<Choice, "classId" | "also">): number[] {
  return classId === null ? [] : [classId, ...also];
}

// The highlighted classes as parts of a link, and back.

/** The companions, and the colours where these are not in order: `also=12.45`, `hues=2.1.3`. */
export function choiceInLink(choice: Choice): readonly (readonly [string, string])[] {
  if (!choice.also.length) return [];
  const hues = chosen(choice).map(({ hue }) => hue);
  const also = ["also", choice.also.join(".")] as const;
  if (hues.every((hue, place) => hue === place)) return [also];
  return [also, ["hues", hues.map((hue) => hue + 1).join(".")]];
}

/** The choice that a link asks for beside its class; what the network does not have is left out. */
export function choiceFrom(
  parts: URLSearchParams,
  classId: number | null,
  classes: readonly string[],
): Choice {
  const named = classId === null ? [] : numbers(parts.get("also")).filter((id) => classes[id] !== undefined);
  const also = [...new Set(named)].filter((id) => id !== classId).slice(0, MOST_CLASSES - 1);
  return { classId, also, hues: also.length ? huesFrom(parts.get("hues"), also.length + 1) : [] };
}

function huesFrom(text: string | null, classes: number): number[] {
  const hues = numbers(text).map((hue) => hue - 1);
  const known = hues.every((hue) => hue >= 0 && hue < MOST_CLASSES);
  const one = hues.length === classes && new Set(hues).size === classes;
  return known && one ? hues : Array.from({ length: classes }, (_, hue) => hue);
}

function numbers(text: string | null): number[] {
  return /^\d+(\.\d+)*$/.test(text ?? "") ? (text ?? "").split(".").map(Number) : [];
}
