// What may be written on a picture: names of regions, coarse to fine, then the strongest class of single cells.

import type { LevelData } from "./level-data";
import { loadPart } from "./parts";
import { type Packed, unpack } from "./unpack";

/** A name and where its middle lies, in sides of the atlas. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** How large it is written: 0 the largest, CELL for single cells. */
  readonly rank: number;
  /** Side of the square of the same area as what it names, in sides of the atlas. */
  readonly extent: number;
}

export const CELL = 6;
const AROUND = [-1, 0, 1];
const FOOT = 0.84; // where in its cell a name stands, so that the middle of the icon stays free

interface RegionPart {
  readonly size: number;
  readonly place: Packed;
  readonly cells: Packed;
  readonly class: Packed;
  readonly cut: Packed;
}

/** The named regions of an atlas, the coarse ones first, and of those found together the largest first. */
export async function regionLabels(layer: string, atlas: string, names: readonly string[]): Promise<Label[]> {
  const part = await loadPart<RegionPart>(`${layer}/${atlas}/names`);
  const [place, cells, classes, cut] = await Promise.all(
    [part.place, part.cells, part.class, part.cut].map(unpack),
  );
  const labels = Array.from(classes ?? [], (id, region) => ({
    text: short(names[id] ?? ""),
    x: (place?.[2 * region + 1] ?? 0) / part.size,
    y: (place?.[2 * region] ?? 0) / part.size,
    rank: cut?.[region] ?? 0,
    extent: Math.sqrt(cells?.[region] ?? 0) / part.size,
  }));
  return labels.sort((one, other) => one.rank - other.rank || other.extent - one.extent);
}

/**
 * The strongest class of every drawn cell in which that is at least as strong as in the cells around it that have the
 * same one; the strongest first.
 */
export function cellLabels(level: LevelData, names: readonly string[], most: number): Label[] {
  const best = Array.from({ length: level.cells }, (_, cell) => {
    const [found] = level.isDrawn(cell) ? level.topClasses(cell) : [];
    return found ?? null;
  });
  const peaks = best.flatMap((own, cell) => {
    if (!own) return [];
    const rivals = around(level, cell).map((other) => best[other]);
    const stronger = rivals.some((rival) => rival?.id === own.id && rival.value > own.value);
    return stronger ? [] : [{ cell, ...own }];
  });
  peaks.sort((one, other) => other.value - one.value || one.cell - other.cell);
  return peaks.slice(0, most).map(({ cell, id }) => ({
    text: short(names[id] ?? ""),
    x: (level.column(cell) + 0.5) / level.size,
    y: (level.row(cell) + FOOT) / level.size,
    rank: CELL,
    extent: 1 / level.size,
  }));
}

function around(level: LevelData, cell: number): number[] {
  const [row, column] = [level.row(cell), level.column(cell)];
  return AROUND.flatMap((down) =>
    AROUND.map((right) => (down || right ? level.at(row + down, column + right) : -1)),
  ).filter((other) => other >= 0);
}

const LONGEST = 28;

/** The first of a class's names, cut off where it is very long. */
function short(name: string): string {
  const first = name.split(",")[0]?.trim() || name;
  return first.length > LONGEST ? `${first.slice(0, LONGEST - 1).trimEnd()}…` : first;
}
