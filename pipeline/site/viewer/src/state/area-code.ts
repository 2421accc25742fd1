// Encoding of a selection for the URL hash: a rectangle by its corners, any other area by run lengths.

import { Area, type Box } from "../data/area";

/** Maximum length of a selection: with all other parts, a URL then stays below 1,500 characters. */
const MAX_LENGTH = 1300;

export interface AreaCode {
  /** Parameter of the URL hash. */
  readonly name: "box" | "cells";
  readonly text: string;
  /** The encoded area; a superset of the selection if that would be too long. */
  readonly area: Area;
}

/**
 * `box` is `size.top.left.bottom.right`. `cells` is `size.top.left.width.lengths`: alternating run lengths of skipped
 * and selected positions in row-major order of the bounding rectangle. If that is too long, short gaps in rows are closed.
 */
export function encodeArea(area: Area): AreaCode {
  const { size, top, left, bottom, right } = area.bounds;
  if (area.isBox) return { name: "box", text: [size, top, left, bottom, right].join("."), area };
  let simple = area;
  for (let gap = 1; encodeLengths(simple).length > MAX_LENGTH && gap < size; gap *= 2)
    simple = closeGaps(area, gap);
  return { name: "cells", text: encodeCells(simple), area: simple };
}

/** The area as `cells`, of any length. */
export function encodeCells(area: Area): string {
  const { size, top, left, right } = area.bounds;
  return [size, top, left, right - left + 1, encodeLengths(area)].join(".");
}

/** The area of a `cells` text; null if it is invalid or its level unknown. */
export function decodeArea(text: string, sizes: readonly number[]): Area | null {
  const found = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.([0-9a-z]+)$/.exec(text);
  const [size = 0, top = 0, left = 0, width = 0] = (found?.slice(1, 5) ?? []).map(Number);
  const parts = parseLengths(found?.[5] ?? "");
  const length = parts?.reduce((sum, part) => sum + part, 0) ?? Number.POSITIVE_INFINITY;
  if (!parts || !sizes.includes(size) || left + width > size) return null;
  if (!(length <= width * (size - top))) return null; // very many digits overflow to a non-finite length
  const selected = new Uint8Array(size * size);
  let at = 0;
  parts.forEach((part, index) => {
    for (const end = at + part; at < end; at++) {
      if (index % 2) selected[(top + Math.floor(at / width)) * size + left + (at % width)] = 1;
    }
  });
  return Area.of(size, selected);
}

function encodeLengths({ bounds, runs }: Area): string {
  const { top, left, right } = bounds;
  const width = right - left + 1;
  let [skipped, selected, end] = [0, 0, 0];
  let text = "";
  for (const { row, from, to } of runs) {
    const start = (row - top) * width + from - left;
    if (selected && start > end) {
      text += formatLength(skipped) + formatLength(selected);
      [skipped, selected] = [start - end, 0];
    } else if (!selected) skipped = start;
    selected += to - from + 1;
    end = start + to - from + 1;
  }
  return text + formatLength(skipped) + formatLength(selected);
}

const HALF = 18; // of the 36 digits: the upper half is followed by more digits

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

/** The area with gaps of at most `gap` positions in its rows closed. */
function closeGaps({ size, runs }: Area, gap: number): Area {
  const boxes: Box[] = runs.map(({ row, from, to }, index) => {
    const next = runs[index + 1];
    const right = next && next.row === row && next.from - to - 1 <= gap ? next.from - 1 : to;
    return { size, top: row, bottom: row, left: from, right };
  });
  const selected = new Uint8Array(size * size);
  for (const { top, left, right } of boxes) selected.fill(1, top * size + left, top * size + right + 1);
  return Area.of(size, selected) ?? Area.box({ size, top: 0, left: 0, bottom: 0, right: 0 });
}
