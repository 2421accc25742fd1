// One image in the atlas: each position of a layer's map as the icon of the cell that it resembles most.

import { cellAddress } from "../data/cell-link";
import { decimal } from "../data/format";
import { el } from "../ui/dom";
import { createPositionPicker } from "./position-picker";
import { type AtlasPositions, atlasFile, type Explanations, type Row } from "./result";

/** The section of an image; null where the atlas has no icons. */
export function createInAtlas(found: Explanations, row: Row): HTMLElement | null {
  const figures = (found.atlas ?? []).flatMap((one) => createFigure(found.layer, one, row) ?? []);
  if (!figures.length) return null;
  const text =
    "Each position of a layer’s map as the icon of the cell that its activation resembles most, larger where the activation is longer (after Olah et al. 2018). Choose one to see its cell in the atlas.";
  return el(
    "section",
    { class: "in-atlas" },
    el("h2", {}, "The image in the atlas"),
    el("p", { class: "summary" }, text),
    el("div", { class: "pictures" }, ...figures),
  );
}

function createFigure(explained: string, atlas: AtlasPositions, { image, key }: Row): HTMLElement | null {
  const grid = atlas.images[String(image)];
  if (!grid) return null;
  const picker = createPositionPicker({
    src: atlasFile(explained, atlas.layer, image),
    alt: `Positions of ${atlas.layer} in ${key} as icons of the atlas`,
    size: grid.size,
    describe: (position) => {
      const [row, column] = grid.cells[position] ?? [0, 0];
      const similarity = decimal(grid.similarity[position] ?? Number.NaN);
      return `Cell in row ${row + 1}, column ${column + 1} of ${atlas.level}; similarity ${similarity}`;
    },
    choose: (position) => {
      const [row, column] = grid.cells[position] ?? [0, 0];
      location.href = cellAddress(atlas.layer, atlas.level, row, column);
    },
  });
  return el("figure", {}, el("figcaption", { class: "method" }, atlas.layer), picker);
}
