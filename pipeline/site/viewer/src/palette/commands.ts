// Commands that make pictures from a palette. Rows and columns count from 0, as everywhere.

import type { CellAddress } from "../data/area";
import type { Palette } from "./palette";

/** A cell as settings name it. */
export function settingOfCell({ size, row, column }: CellAddress): string {
  return `${size}/${row}/${column}`;
}

/** Paints the label grid. */
export function paintingCommand(layer: string, { cells, labels }: Palette): string {
  const grid = labels.map((line) => `[${line.join(",")}]`);
  return [
    "atlas run 'synthesize.methods=[painting]'",
    layerSetting("synthesize.painting.layer", layer),
    `'synthesize.painting.palette=[${cells.map(settingOfCell).join(",")}]'`,
    `'synthesize.painting.labels=[${grid.join(",")}]'`,
  ].join(" ");
}

/** Ranks all images by these cells; null for cells of several levels, which one query cannot take. */
export function queryCommand(layer: string, { cells }: Palette): string | null {
  if (new Set(cells.map(({ size }) => size)).size > 1) return null;
  return [
    "atlas run 'synthesize.methods=[region_query]'",
    layerSetting("synthesize.region_query.layer", layer),
    `'synthesize.region_query.more=[${cells.map(settingOfCell).join(",")}]'`,
  ].join(" ");
}

const PLAIN = /^[A-Za-z_][\w.]*$/; // Hydra reads it as text, and the shell as one word
const WORDS = new Set(["true", "false", "null", "nan", "inf"]); // which Hydra reads as something else

function layerSetting(setting: string, layer: string): string {
  if (PLAIN.test(layer) && !WORDS.has(layer.toLowerCase())) return `${setting}=${layer}`;
  const quoted = layer.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("'", "'\\''");
  return `'${setting}="${quoted}"'`;
}
