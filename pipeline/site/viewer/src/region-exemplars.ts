// Which exemplars stand for a region: they are taken evenly from its samples, and each from another image.

import type { LevelData } from "./level-data";

/**
 * Cells in reading order, each as often as its share of the samples says: the one that holds the middle sample of each
 * of `parts` equal parts.
 */
export function evenly(level: LevelData, cells: readonly number[], parts: number): number[] {
  const counts = cells.map((cell) => level.value("count", cell));
  const samples = counts.reduce((sum, count) => sum + count, 0);
  const found: number[] = [];
  let passed = 0;
  cells.forEach((cell, index) => {
    passed += counts[index] ?? 0;
    while (found.length < parts && ((found.length + 0.5) / parts) * samples < passed) found.push(cell);
  });
  return found;
}

/**
 * The best exemplar of each of these cells whose name is not taken yet; of all of them, the next best ones, until
 * there are `parts`.
 *
 * @param ranked the exemplars of a cell, the best first.
 * @param name of what may stand there only once.
 */
export function different<Item>(
  cells: readonly number[],
  parts: number,
  ranked: (cell: number) => readonly Item[],
  name: (item: Item) => string,
): Item[] {
  const [found, taken] = [[] as Item[], new Set<string>()];
  const take = (cell: number): boolean => {
    const item = ranked(cell).find((each) => !taken.has(name(each)));
    if (!item || found.length === parts) return false;
    taken.add(name(item));
    found.push(item);
    return true;
  };
  for (let more = true; more && found.length < parts; ) more = cells.map(take).includes(true);
  return found;
}
