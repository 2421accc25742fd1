// A region's cells as a table: one row a cell, with its classes and the images of its exemplars.

import { loadAbout } from "./about";
import { loadPlaces } from "./exemplars";
import { csv, type Field } from "./export-csv";
import type { LevelData } from "./level-data";
import type { Manifest } from "./manifest";
import type { Scene } from "./scene";

const PLACE = ["layer", "atlas", "level", "row", "column"] as const;
const MEASURES = ["spread", "reliability", "fidelity", "fidelity_centred"] as const;

/** Rows and columns count from 0, positions are (y, x) in the layer's map: as in the artifacts of the run. */
export async function cellsTable(
  manifest: Manifest,
  scene: Scene,
  cells: readonly number[],
): Promise<string> {
  const { layer, atlas, level } = scene;
  const classes = largest(cells.map((cell) => level.topClasses(cell).length));
  const exemplars = manifest.exemplars ? await exemplarsOf(manifest, level, cells) : [];
  const ranks = largest(exemplars.map((row) => row.length));
  const head = [
    ...[...PLACE, "count", "drawn", ...MEASURES],
    ...numbered(classes, (rank) => [`class_${rank}`, `attribution_${rank}`]),
    ...numbered(ranks, (rank) => [`exemplar_${rank}`, `exemplar_${rank}_y`, `exemplar_${rank}_x`]),
  ];
  const rows = cells.map((cell, index): Field[] => [
    ...[layer.name, atlas.name, level.size, level.row(cell), level.column(cell)],
    ...[level.value("count", cell), level.isDrawn(cell) ? 1 : 0],
    ...MEASURES.map((measure) => level.value(measure, cell)),
    ...filled(classesOf(manifest, level, cell), 2 * classes),
    ...filled((exemplars[index] ?? []).flat(), 3 * ranks),
  ]);
  return csv(head, rows);
}

function classesOf({ network }: Manifest, level: LevelData, cell: number): Field[] {
  return level.topClasses(cell).flatMap(({ id, value }) => [network.classes[id] ?? `class ${id}`, value]);
}

type Row = (readonly [key: string, y: number, x: number])[];

/** Name of the image and position of every exemplar of these cells, nearest to the cell's mean first. */
async function exemplarsOf(
  { images_per_folder: perFolder }: Manifest,
  level: LevelData,
  cells: readonly number[],
): Promise<Row[]> {
  const { image, position } = await loadPlaces(`${level.name}/exemplars`);
  const ranks = image.length / level.cells;
  const indices = cells.map((cell) =>
    Array.from({ length: ranks }, (_, rank) => cell * ranks + rank).filter(
      (index) => (image[index] ?? -1) >= 0,
    ),
  );
  const images = [...new Set(indices.flat().map((index) => image[index] ?? 0))];
  const abouts = await loadAbout({ address: "data/images", perFolder }, images);
  const keys = new Map(images.map((row, index) => [row, abouts[index]?.key ?? ""]));
  return indices.map((row) =>
    row.map((index) => {
      const key = keys.get(image[index] ?? 0) ?? "";
      return [key, position[2 * index] ?? Number.NaN, position[2 * index + 1] ?? Number.NaN] as const;
    }),
  );
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function numbered(length: number, names: (rank: number) => string[]): string[] {
  return Array.from({ length }, (_, index) => names(index + 1)).flat();
}

function filled(fields: readonly Field[], length: number): Field[] {
  return Array.from({ length }, (_, index) => fields[index] ?? null);
}
