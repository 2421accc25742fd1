// What may be written on a picture: names of regions, coarse to fine, then the strongest class of single cells.

import { loadPart, type Packed, unpack } from "../data/data-files";
import type { LevelData } from "../data/level";

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
  const best = strongest(level);
  const peaks: number[] = [];
  for (let cell = 0; cell < level.cells; cell++) {
    if ((best.id[cell] ?? -1) >= 0 && isPeak(level, best, cell)) peaks.push(cell);
  }
  peaks.sort((one, other) => (best.value[other] ?? 0) - (best.value[one] ?? 0) || one - other);
  return peaks.slice(0, most).map((cell) => ({
    text: short(names[best.id[cell] ?? -1] ?? ""),
    x: (level.column(cell) + 0.5) / level.size,
    y: (level.row(cell) + FOOT) / level.size,
    rank: CELL,
    extent: 1 / level.size,
  }));
}

interface Best {
  /** -1 where no class is spoken for. */
  readonly id: Int32Array;
  readonly value: Float32Array;
}

function strongest(level: LevelData): Best {
  const { each, classes, values } = level.listed;
  const best = { id: new Int32Array(level.cells).fill(-1), value: new Float32Array(level.cells) };
  for (let cell = 0; cell < level.cells; cell++) {
    const value = values[cell * each] ?? 0;
    if (!level.isDrawn(cell) || value <= 0) continue;
    best.id[cell] = classes[cell * each] ?? -1;
    best.value[cell] = value;
  }
  return best;
}

function isPeak(level: LevelData, { id, value }: Best, cell: number): boolean {
  const [row, column] = [level.row(cell), level.column(cell)];
  for (const down of AROUND) {
    for (const right of AROUND) {
      const other = level.at(row + down, column + right);
      if (other >= 0 && id[other] === id[cell] && (value[other] ?? 0) > (value[cell] ?? 0)) return false;
    }
  }
  return true;
}

const LONGEST = 28;

/** The first of a class's names, cut off where it is very long. */
function short(name: string): string {
  const first = name.split(",")[0]?.trim() || name;
  return first.length > LONGEST ? `${first.slice(0, LONGEST - 1).trimEnd()}…` : first;
}
