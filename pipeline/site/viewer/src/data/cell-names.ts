// Names of cells and regions: the class that their samples support, or the candidates that they cannot tell apart.

import type { LevelData } from "./level";

const SHOWN = 2; // candidates in a name

/** The name where one class is left, or else the first candidates; empty without any. */
export function nameOf(candidates: readonly string[], named: boolean): string {
  const [first] = candidates;
  if (first === undefined) return "";
  if (named) return first;
  if (candidates.length === 1) return `perhaps ${first}`; // the others add next to nothing
  const more = candidates.length > SHOWN ? " or another" : "";
  return candidates.slice(0, SHOWN).join(" or ") + more;
}

/** The name of a cell; empty where no class names it. */
export function cellClassName(
  level: LevelData,
  cell: number,
  classes: readonly string[],
  shorten: (name: string) => string = (name) => name,
): string {
  const candidates = level.candidates(cell).map(({ id }) => shorten(classes[id] ?? `class ${id}`));
  return nameOf(candidates, level.isNamed(cell));
}
