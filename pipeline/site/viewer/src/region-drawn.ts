// What a tool makes of the way that a drag went.

import type { LevelData } from "./level-data";
import { between, type Corner } from "./region";
import { Area } from "./region-area";
import { lassoed } from "./region-lasso";
import type { Vertex } from "./region-outline";

export type Tool = "box" | "lasso";

/** The places that a tool takes; null where it takes none. */
export function drawn(tool: Tool, level: LevelData, trail: readonly Vertex[]): Area | null {
  const [first, last] = [trail[0], trail.at(-1)];
  if (!first || !last) return null;
  if (tool === "lasso") return lassoed(level, trail);
  return Area.box(between(level.size, placeAt(level.size, first), placeAt(level.size, last)));
}

/** The place that a point lies in, drawn or not; points outside belong to the nearest one. */
function placeAt(size: number, { x, y }: Vertex): Corner {
  const place = (share: number): number => Math.min(Math.max(Math.floor(share * size), 0), size - 1);
  return { row: place(y), column: place(x) };
}

/** Both, at the finer level of the two; the addition alone where the cells of their levels do not divide each other. */
export function together(selected: Area | null, addition: Area | null): Area | null {
  if (!selected || !addition) return addition ?? selected;
  const [fine, coarse] = [selected.at(addition.size), addition.at(selected.size)];
  if (fine) return fine.plus(addition);
  return coarse ? selected.plus(coarse) : addition;
}
