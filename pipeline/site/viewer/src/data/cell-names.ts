// Names of cells and regions: the class that their samples support, or "mixed" with the candidates.

import type { LevelData } from "./level";

const SHOWN = 2; // candidates in a name

/** The name where one class is left, or else "mixed" and the first candidates; empty without any. */
export function nameOf(candidates: readonly string[], mixed: boolean): string {
  const [first] = candidates;
  if (first === undefined) return "";
  if (!mixed) return first;
  // of a single one, the others have attributions that are not positive
  const more = candidates.length > SHOWN || candidates.length === 1 ? ", …" : "";
  return `mixed: ${candidates.slice(0, SHOWN).join(", ")}${more}`;
}

/** The name of a cell; empty where no class has a positive attribution. */
export function cellClassName(
  level: LevelData,
  cell: number,
  classes: readonly string[],
  shorten: (name: string) => string = (name) => name,
): string {
  const candidates = level.candidates(cell).map(({ id }) => shorten(classes[id] ?? `class ${id}`));
  return nameOf(candidates, level.isMixed(cell));
}
