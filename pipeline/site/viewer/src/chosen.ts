// The highlighted classes: each has a colour of its own, which stays with it while others come and go.

import type { Heat } from "./heat";
import type { State } from "./state";

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

export type Choice = Pick<State, "classId" | "also" | "hues">;

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
export function consistentChoice(asked: Choice, change: Partial<State>): Choice {
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
