// Pictures of one size that share an image: a strip, or a grid.

import { el } from "./dom";

/** One picture of such an image, filling its element. */
export function createStripPart(
  src: string,
  alt: string,
  column: number,
  row: number,
  columns: number,
  rows: number,
): HTMLElement {
  const image = el("img", { src, alt, loading: "lazy", decoding: "async" });
  Object.assign(image.style, {
    width: `${100 * columns}%`,
    height: `${100 * rows}%`,
    left: `${-100 * column}%`,
    top: `${-100 * row}%`,
  });
  return el("span", { class: "picture part" }, image);
}
