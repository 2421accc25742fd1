// The highlighted classes as parts of a link, and back.

import { type Choice, chosen, MOST_CLASSES } from "./chosen";

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
