// A selection as text for links: a rectangle by its corners, anything else by the lengths of what it skips and takes.

import { Area, type Box } from "../data/area";

/** Longest text of a selection: with all the rest, a link then stays below 1,500 characters. */
const MAX_LENGTH = 1300;

export interface AreaCode {
  /** Parameter of the link. */
  readonly name: "box" | "cells";
  readonly text: string;
  /** What the text says; more than was asked for where that would be too long. */
  readonly area: Area;
}

/**
 * `box` is `size.top.left.bottom.right`. `cells` is `size.top.left.width.lengths`: reading the rows of the rectangle
 * around the selection, so many places are skipped, so many taken, and so on. Where that is too long, short gaps
 * within rows are closed.
 */
export function encodeArea(area: Area): AreaCode {
  const { size, top, left, bottom, right } = area.bounds;
  if (area.isBox) return { name: "box", text: [size, top, left, bottom, right].join("."), area };
  let simple = area;
  for (let gap = 1; encodeLengths(simple).length > MAX_LENGTH && gap < size; gap *= 2)
    simple = closeGaps(area, gap);
  return { name: "cells", text: encodeCells(simple), area: simple };
}

/** The selection as `cells` says it, however long. */
export function encodeCells(area: Area): string {
  const { size, top, left, right } = area.bounds;
  return [size, top, left, right - left + 1, encodeLengths(area)].join(".");
}

/** The selection that `cells` says; null where it says none of a known level. */
export function decodeArea(text: string, sizes: readonly number[]): Area | null {
  const found = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.([0-9a-z]+)$/.exec(text);
  const [size = 0, top = 0, left = 0, width = 0] = (found?.slice(1, 5) ?? []).map(Number);
  const parts = parseLengths(found?.[5] ?? "");
  const length = parts?.reduce((sum, part) => sum + part, 0) ?? Number.POSITIVE_INFINITY;
  if (!parts || !sizes.includes(size) || left + width > size) return null;
  if (!(length <= width * (size - top))) return null; // overlong digits make a length that is no number
  const taken = new Uint8Array(size * size);
  let at = 0;
  parts.forEach((part, index) => {
    for (const end = at + part; at < end; at++) {
      if (index % 2) taken[(top + Math.floor(at / width)) * size + left + (at % width)] = 1;
    }
  });
  return Area.of(size, taken);
}

function encodeLengths({ bounds, runs }: Area): string {
  const { top, left, right } = bounds;
  const width = right - left + 1;
  let [skipped, taken, end] = [0, 0, 0];
  let text = "";
  for (const { row, from, to } of runs) {
    const start = (row - top) * width + from - left;
    if (taken && start > end) {
      text += formatLength(skipped) + formatLength(taken);
      [skipped, taken] = [start - end, 0];
    } else if (!taken) skipped = start;
    taken += to - from + 1;
    end = start + to - from + 1;
  }
  return text + formatLength(skipped) + formatLength(taken);
}

const HALF = 18; // of the 36 digits: the upper ones say that more follow

function formatLength(value: number): string {
  if (value < HALF) return value.toString(36);
  return (HALF + (value % HALF)).toString(36) + formatLength(Math.floor(value / HALF));
}

function parseLengths(text: string): number[] | null {
  const found: number[] = [];
  let [value, unit] = [0, 1];
  for (const letter of text) {
    const digit = Number.parseInt(letter, 36);
    value += (digit % HALF) * unit;
    unit *= HALF;
    if (digit >= HALF) continue;
    found.push(value);
    [value, unit] = [0, 1];
  }
  return unit === 1 ? found : null;
}

/** The area with the gaps of at most `gap` places within its rows closed. */
function closeGaps({ size, runs }: Area, gap: number): Area {
  const boxes: Box[] = runs.map(({ row, from, to }, index) => {
    const next = runs[index + 1];
    const right = next && next.row === row && next.from - to - 1 <= gap ? next.from - 1 : to;
    return { size, top: row, bottom: row, left: from, right };
  });
  const taken = new Uint8Array(size * size);
  for (const { top, left, right } of boxes) taken.fill(1, top * size + left, top * size + right + 1);
  return Area.of(size, taken) ?? Area.box({ size, top: 0, left: 0, bottom: 0, right: 0 });
}
