// What the stage `synthesize` made by a method, and the address of one of its pictures.

import { loadDataFrom } from "../data/data-files";
import { parseInteger } from "../data/format";
import type { Synthesis } from "../data/syntheses";

export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** A short line below it, or empty. */
  readonly text: string;
  /** Of the atlas that it is about. */
  readonly cell: {
    readonly layer: string;
    readonly level: number;
    readonly row: number;
    readonly column: number;
  } | null;
  /** By the name of the measure; null where the value is not known. */
  readonly values: Readonly<Record<string, number | null>>;
}

export interface Row {
  readonly name: string;
  readonly text: string;
  /** One for each column; null where there is none. */
  readonly pictures: readonly (Picture | null)[];
}

export interface Column {
  readonly name: string;
  readonly text: string;
  /** Authors and year, or empty. */
  readonly source: string;
}

/** A number below pictures. */
export interface Measure {
  readonly name: string;
  readonly label: string;
  /** What it is, in which unit or range. */
  readonly text: string;
}

/** Lines over ordered items, such as layers. */
export interface Curve {
  readonly name: string;
  readonly text: string;
  /** What the items are, and what the values are. */
  readonly x: string;
  readonly y: string;
  readonly items: readonly string[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

export interface Sheet {
  readonly method: Synthesis;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly columns: readonly Column[];
  readonly measures: readonly Measure[];
  readonly rows: readonly Row[];
  readonly curves: readonly Curve[];
  readonly notes: readonly string[];
  /** Names of the files to download. */
  readonly downloads: readonly string[];
}

export function loadSheet(method: Synthesis): Promise<Sheet> {
  const name = `synthesize/${method}/synthesize`;
  return loadDataFrom<Sheet>(`${name}.js`, name);
}

/** A single column without a name: the pictures are no table. */
export function isContactSheet({ columns }: Sheet): boolean {
  return columns.length === 1 && !columns[0]?.name;
}

/** Address of a file of a method, relative to the page. */
export function sheetFile(method: Synthesis, name: string): string {
  return `synthesize/${method}/${encodeURIComponent(name)}`;
}

/** Where a picture stands. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

export function pictureFile(method: Synthesis, { row, column }: Place): string {
  return sheetFile(method, `${row}-${column}.webp`);
}

export function pictureAt({ rows }: Sheet, { row, column }: Place): Picture | null {
  return rows[row]?.pictures[column] ?? null;
}

/** The places of all pictures that there are, row by row. */
export function placesOf({ rows }: Sheet): Place[] {
  return rows.flatMap(({ pictures }, row) =>
    pictures.flatMap((picture, column) => (picture ? [{ row, column }] : [])),
  );
}

/** What a picture is, for headings and for those who do not see it. */
export function pictureName({ rows, columns }: Sheet, { row, column }: Place): string {
  return [rows[row]?.name, columns[column]?.name].filter((name) => name).join(", ");
}

/** What the page shows: a method, and one of its pictures in large. */
export interface Selection {
  readonly method: Synthesis | null;
  readonly picture: Place | null;
}

export function fromHash(hash: string, methods: readonly Synthesis[]): Selection {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const wanted = values.get("method");
  const [row, column] = (values.get("picture") ?? "").split("-").map(parseInteger);
  const known = row !== undefined && column !== undefined && !Number.isNaN(row + column);
  return {
    method: methods.find((method) => method === wanted) ?? methods[0] ?? null,
    picture: known ? { row, column } : null,
  };
}

export function toHash({ method, picture }: Selection): string {
  const values = new URLSearchParams(method ? { method } : {});
  if (picture) values.set("picture", `${picture.row}-${picture.column}`);
  return `#${values}`;
}
