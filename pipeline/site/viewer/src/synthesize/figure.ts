// A picture of the sheet: a link that opens it large, with its text, its numbers and its cell below.

import { cellAddress } from "../data/cell-link";
import { significant } from "../data/format";
import { el } from "../ui/dom";
import {
  type Measure,
  type Picture,
  type Place,
  pictureFile,
  pictureName,
  type Sheet,
  toHash,
} from "./result";

/** The picture, with `head` below it before anything else; words in its place where there is none. */
export function createFigure(
  sheet: Sheet,
  place: Place,
  picture: Picture | null,
  head: readonly HTMLElement[] = [],
): HTMLElement {
  if (!picture) return el("div", {}, el("p", { class: "missing" }, "no picture"), ...head);
  const href = toHash({ method: sheet.method, picture: place });
  const image = createImage(sheet, place, picture, { loading: "lazy" });
  const link = el("a", { class: "opens", href, "aria-label": `Enlarge ${pictureName(sheet, place)}` }, image);
  link.style.setProperty("--shape", String(picture.width / picture.height));
  return el("figure", { class: "synthesis" }, link, ...head, ...createCaption(sheet.measures, picture));
}

/** Its pixels. */
export function createImage(
  sheet: Sheet,
  place: Place,
  { width, height }: Picture,
  attributes: Readonly<Record<string, string>> = {},
): HTMLImageElement {
  const src = pictureFile(sheet.method, place);
  return el("img", { src, alt: pictureName(sheet, place), width, height, decoding: "async", ...attributes });
}

/** Text, numbers and a link to the cell, as far as the picture has them. */
export function createCaption(measures: readonly Measure[], { text, values, cell }: Picture): HTMLElement[] {
  const known = measures.filter(({ name }) => name in values);
  const numbers = known.map((measure) =>
    el(
      "div",
      { title: measure.text },
      el("dt", {}, measure.label),
      el("dd", {}, significant(values[measure.name] ?? Number.NaN)),
    ),
  );
  return [
    ...(text ? [el("p", { class: "text" }, text)] : []),
    ...(numbers.length ? [el("dl", { class: "values" }, ...numbers)] : []),
    ...(cell
      ? [
          el(
            "p",
            { class: "cell" },
            el(
              "a",
              { href: cellAddress(cell.layer, cell.level, cell.row, cell.column) },
              `Cell ${cell.level}/${cell.row}/${cell.column}`,
            ),
            ` of ${cell.layer}`,
          ),
        ]
      : []),
  ];
}
