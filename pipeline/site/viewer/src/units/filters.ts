// The filters of convolutions as images.

import { el } from "../ui/dom";
import { filtersFile, type LayerUnits } from "./result";

/** The filters of the network's first convolution, and of the layer's own. */
export function createFilters({ layer, filters }: LayerUnits): HTMLElement[] {
  return filters.map((sheet, number) => {
    const [height, width] = sheet.size;
    const what = `${sheet.filters} filters of ${sheet.layer}, ${height} × ${width}`;
    const text = sheet.colors
      ? `${what}, as they are compared with the ${sheet.channels === 1 ? "gray values" : "colors"} of the image: edges, their directions, and colors. Middle gray is 0.`
      : `${what}, ${sheet.channels} input channels: one filter a row, the first channels from left to right. They say little: what an input channel stands for is not in them.`;
    const image = el("img", {
      src: filtersFile(layer, number),
      alt: what,
      width: sheet.width,
      height: sheet.height,
      loading: "lazy",
      decoding: "async",
    });
    return el(
      "section",
      { class: "filters" },
      el("h2", {}, sheet.colors ? "First-layer filters" : `Filters of ${sheet.layer}`),
      el("p", { class: "summary" }, text),
      el("div", { class: "table", tabindex: 0, role: "region", "aria-label": what }, image),
    );
  });
}
