// Search by region: images, and the cell of the atlas, that are most like a box in an image.

import { cellAddress } from "../data/cell-link";
import { decimal } from "../data/format";
import { el } from "../ui/dom";
import { type Explanations, explainFile, type RegionBox } from "./result";

/** The section of all boxes; null where none is searched for. */
export function createRegions(found: Explanations): HTMLElement | null {
  const { regions } = found;
  if (!regions?.boxes.length) return null;
  const text = `Images with a position of ${regions.layer} that is most like the mean of those in the box: the largest centered cosine. The square is the part of the image around that position.`;
  return el(
    "section",
    { class: "regions" },
    el("h2", {}, "Search by region"),
    el("p", { class: "summary" }, text),
    ...regions.boxes.map((box) => createBox(found.layer, regions.layer, regions.patch, box)),
  );
}

function createBox(explained: string, layer: string, patch: number, box: RegionBox): HTMLElement {
  const [left, top, right, bottom] = box.box;
  const own = createPicture(explained, box.image, box.key, {
    left,
    top,
    width: right - left,
    height: bottom - top,
  });
  const cell = box.cell && {
    address: cellAddress(layer, box.cell.level, box.cell.cell[0], box.cell.cell[1]),
    text: `Nearest cell of the atlas (similarity ${decimal(box.cell.similarity ?? Number.NaN)})`,
  };
  const matches = box.matches.map((match) => {
    const [x, y] = match.center;
    const start = (center: number): number => Math.min(Math.max(center - patch / 2, 0), 1 - patch);
    const place = { left: start(x), top: start(y), width: patch, height: patch };
    return el(
      "figure",
      { title: match.key },
      createPicture(explained, match.image, match.key, place),
      el("figcaption", {}, `${match.label ?? match.key}, ${decimal(match.similarity ?? Number.NaN)}`),
    );
  });
  return el(
    "div",
    { class: "region" },
    el(
      "figure",
      { title: box.key },
      own,
      el(
        "figcaption",
        {},
        el("span", { class: "method" }, box.label ?? box.key),
        cell ? el("a", { href: cell.address }, cell.text) : null,
      ),
    ),
    el("div", { class: "pictures" }, ...matches),
  );
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function createPicture(explained: string, image: number, key: string, place: Place): HTMLElement {
  const mark = el("span", { class: "mark" });
  for (const side of ["left", "top", "width", "height"] as const) mark.style[side] = `${100 * place[side]}%`;
  const src = explainFile(explained, "thumbnails", image);
  return el(
    "span",
    { class: "picture" },
    el("img", { src, alt: key, loading: "lazy", decoding: "async" }),
    mark,
  );
}
