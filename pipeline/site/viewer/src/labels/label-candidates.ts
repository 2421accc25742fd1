// Label candidates: names of regions, coarse to fine, then the top classes of single cells.

import { cellClassName, nameOf } from "../data/cell-names";
import { decodeArray, type EncodedArray, loadData } from "../data/data-files";
import type { LevelData } from "../data/level";

/** A label and its center, in units of the atlas's side. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Size class: 0 the largest, CELL for single cells. */
  readonly rank: number;
  /** Square root of the labeled area, in units of the atlas's side. */
  readonly extent: number;
}

export const CELL = 6;
const NEIGHBOR_OFFSETS = [-1, 0, 1];
const LABEL_POSITION = 0.84; // vertical position in its cell, so that the center of the icon stays free

interface RegionLabelData {
  readonly size: number;
  readonly label_position: EncodedArray;
  readonly cells: EncodedArray;
  /** Top classes and which of them may name the region, [region, rank]. */
  readonly class: EncodedArray;
  readonly candidate: EncodedArray;
  /** Whether the first of them is told from all others, [region]. */
  readonly named: EncodedArray;
  readonly cut: EncodedArray;
}

/** Labels of the regions of an atlas, coarse to fine, and within a scale the largest first. */
export async function regionLabels(layer: string, atlas: string, names: readonly string[]): Promise<Label[]> {
  const data = await loadData<RegionLabelData>(`${layer}/${atlas}/regions`);
  const [labelPosition, cells, classes, candidate, named, cut] = await Promise.all(
    [data.label_position, data.cells, data.class, data.candidate, data.named, data.cut].map(decodeArray),
  );
  const ranks = (classes?.length ?? 0) / (cells?.length || 1);
  const nameOfRegion = (region: number): string => {
    const ids = Array.from(classes?.slice(region * ranks, (region + 1) * ranks) ?? []);
    const left = ids.filter((_, rank) => candidate?.[region * ranks + rank] === 1);
    return nameOf(
      left.map((id) => shortName(names[id] ?? "")),
      named?.[region] === 1,
    );
  };
  const labels = Array.from(cells ?? [], (_, region) => ({
    text: nameOfRegion(region),
    x: (labelPosition?.[2 * region + 1] ?? 0) / data.size,
    y: (labelPosition?.[2 * region] ?? 0) / data.size,
    rank: cut?.[region] ?? 0,
    extent: Math.sqrt(cells?.[region] ?? 0) / data.size,
  }));
  return labels.sort((one, other) => one.rank - other.rank || other.extent - one.extent);
}

/**
 * Top class of every cell with an icon where it is a local maximum among adjacent cells with the same top class;
 * largest first.
 */
export function cellLabels(level: LevelData, names: readonly string[], most: number): Label[] {
  const top = topClasses(level);
  const peaks: number[] = [];
  for (let cell = 0; cell < level.cells; cell++) {
    if ((top.id[cell] ?? -1) >= 0 && isLocalMaximum(level, top, cell)) peaks.push(cell);
  }
  peaks.sort((one, other) => (top.value[other] ?? 0) - (top.value[one] ?? 0) || one - other);
  return peaks.slice(0, most).map((cell) => ({
    text: cellClassName(level, cell, names, shortName),
    x: (level.column(cell) + 0.5) / level.size,
    y: (level.row(cell) + LABEL_POSITION) / level.size,
    rank: CELL,
    extent: 1 / level.size,
  }));
}

interface TopClasses {
  /** -1 if no class names the cell. */
  readonly id: Int32Array;
  readonly value: Float32Array;
}

function topClasses(level: LevelData): TopClasses {
  const { each, classes, values } = level.listed;
  const top = { id: new Int32Array(level.cells).fill(-1), value: new Float32Array(level.cells) };
  for (let cell = 0; cell < level.cells; cell++) {
    const value = values[cell * each] ?? 0;
    if (!level.hasIcon(cell) || !level.candidates(cell).length) continue;
    top.id[cell] = classes[cell * each] ?? -1;
    top.value[cell] = value;
  }
  return top;
}

function isLocalMaximum(level: LevelData, { id, value }: TopClasses, cell: number): boolean {
  const [row, column] = [level.row(cell), level.column(cell)];
  for (const down of NEIGHBOR_OFFSETS) {
    for (const right of NEIGHBOR_OFFSETS) {
      const other = level.at(row + down, column + right);
      if (other >= 0 && id[other] === id[cell] && (value[other] ?? 0) > (value[cell] ?? 0)) return false;
    }
  }
  return true;
}

const MAX_NAME_LENGTH = 28;

/** The first of a class's names, truncated if it is very long. */
function shortName(name: string): string {
  const first = name.split(",")[0]?.trim() || name;
  return first.length > MAX_NAME_LENGTH ? `${first.slice(0, MAX_NAME_LENGTH - 1).trimEnd()}…` : first;
}
