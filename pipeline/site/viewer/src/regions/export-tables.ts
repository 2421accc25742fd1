// CSV tables of a region: its cells with top classes and exemplars, and its images.

import type { Area } from "../data/area";
import { loadExemplarPositions } from "../data/exemplars";
import { styleOf } from "../data/icon-styles";
import { type ImageSource, loadImageInfo } from "../data/images";
import type { LevelData } from "../data/level";
import type { Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";

const POSITION = ["layer", "atlas", "level", "row", "column"] as const;
const MEASURES = ["spread", "reliability", "fidelity", "fidelity_centred"] as const;

/** Rows and columns count from 0, positions are (y, x) in the layer's map, as in the artifacts. */
export async function createCellsTable(
  manifest: Manifest,
  scene: Scene,
  cells: readonly number[],
): Promise<string> {
  const { layer, atlas, level } = scene;
  const classes = maximum(cells.map((cell) => level.topClasses(cell).length));
  const exemplars = manifest.exemplars ? await exemplarsOf(manifest, level, cells) : [];
  const ranks = maximum(exemplars.map((row) => row.length));
  const style = atlas.styles.length > 1 ? [styleOf(atlas)] : [];
  const head = [
    ...[...POSITION, ...style.map(() => "style"), "count", "drawn", ...MEASURES],
    ...numberedColumns(classes, (rank) => [`class_${rank}`, `attribution_${rank}`]),
    ...numberedColumns(ranks, (rank) => [`exemplar_${rank}`, `exemplar_${rank}_y`, `exemplar_${rank}_x`]),
  ];
  const rows = cells.map((cell, index): Field[] => [
    ...[layer.name, atlas.name, level.size, level.row(cell), level.column(cell), ...style],
    ...[level.value("count", cell), level.hasIcon(cell) ? 1 : 0],
    ...MEASURES.map((measure) => level.value(measure, cell)),
    ...pad(classesOf(manifest, level, cell), 2 * classes),
    ...pad((exemplars[index] ?? []).flat(), 3 * ranks),
  ]);
  return formatCsv(head, rows);
}

function classesOf({ network }: Manifest, level: LevelData, cell: number): Field[] {
  return level.topClasses(cell).flatMap(({ id, value }) => [network.classes[id] ?? `class ${id}`, value]);
}

type Row = (readonly [key: string, y: number, x: number])[];

/** Image key and position of all exemplars of these cells, nearest to the cell's mean first. */
async function exemplarsOf(
  { images_per_folder: perFolder }: Manifest,
  level: LevelData,
  cells: readonly number[],
): Promise<Row[]> {
  const { image, position } = await loadExemplarPositions(`${level.name}/exemplars`);
  const ranks = image.length / level.cells;
  const indices = cells.map((cell) =>
    Array.from({ length: ranks }, (_, rank) => cell * ranks + rank).filter(
      (index) => (image[index] ?? -1) >= 0,
    ),
  );
  const images = [...new Set(indices.flat().map((index) => image[index] ?? 0))];
  const infos = await loadImageInfo({ url: "data/images", perFolder }, images);
  const keys = new Map(images.map((row, index) => [row, infos[index]?.key ?? ""]));
  return indices.map((row) =>
    row.map((index) => {
      const key = keys.get(image[index] ?? 0) ?? "";
      return [key, position[2 * index] ?? Number.NaN, position[2 * index + 1] ?? Number.NaN] as const;
    }),
  );
}

function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function numberedColumns(length: number, names: (rank: number) => string[]): string[] {
  return Array.from({ length }, (_, index) => names(index + 1)).flat();
}

function pad(fields: readonly Field[], length: number): Field[] {
  return Array.from({ length }, (_, index) => fields[index] ?? null);
}

// Table of the images with samples in a region, most samples first.

export async function createImagesTable(
  { layer, atlas, level }: Scene,
  area: Area,
  source: ImageSource,
): Promise<string> {
  const imageCounts = await source.countImages(area);
  const infos = await source.loadInfo(imageCounts.map(({ image }) => image));
  const rows = imageCounts.map(({ samples }, index) => {
    const { key = "", label = null } = infos[index] ?? {};
    return [layer.name, atlas.name, level.size, key, label, samples];
  });
  return formatCsv(["layer", "atlas", "level", "image", "label", "samples"], rows);
}

// CSV by RFC 4180 in UTF-8.

export type Field = string | number | null;

/** Byte order mark, so that spreadsheets detect UTF-8. */
const BYTE_ORDER_MARK = "\uFEFF";
const LINE = "\r\n";
const DIGITS = 6; // significant digits of non-integers: the data have no more

export function formatCsv(head: readonly string[], rows: Iterable<readonly Field[]>): string {
  const lines = [head, ...rows].map((fields) => fields.map(formatField).join(","));
  return BYTE_ORDER_MARK + lines.join(LINE) + LINE;
}

function formatField(value: Field): string {
  if (value === null || Number.isNaN(value)) return "";
  if (typeof value === "string") return quote(escapeFormula(value));
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS)));
}

/** Prefix an apostrophe to text that a spreadsheet would run as a formula (OWASP, "CSV Injection"). */
function escapeFormula(text: string): string {
  return /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text) ? `'${text}` : text;
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Download of a file.

const REVOKE_AFTER_MS = 60_000; // browsers read the content for a while after the click

export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  el("a", { href: url, download: safeFileName(name) }).click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_AFTER_MS);
}

/** File name valid on every file system; names of layers and atlases are arbitrary. */
function safeFileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+/, "");
}
