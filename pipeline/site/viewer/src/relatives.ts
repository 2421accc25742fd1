// The same samples at other layers: a row of icons for each.

import { addressOf, cellButton, cellName } from "./cell-button";
import { el } from "./dom";
import { percent } from "./format";
import type { Relatives } from "./links";
import type { CellAddress } from "./state";

export type Follow = (layer: string, cell: CellAddress) => void;

/** For each other layer its cells with most of the samples; choosing one goes there. */
export function relativeRows(
  names: readonly string[],
  relatives: readonly Relatives[],
  follow: Follow,
): HTMLElement {
  const list = el("ul", { class: "relatives" });
  for (const other of relatives) {
    const cells = relativeCells(names, other, follow);
    if (!cells.length) cells.push(el("p", { class: "nothing" }, "No drawn cell holds them."));
    const name = el("span", { class: "layer", title: other.layer.name }, other.layer.name);
    list.append(el("li", {}, name, el("div", { class: "cells" }, ...cells)));
  }
  return list;
}

/** The cells of one other layer with most of the samples. */
export function relativeCells(names: readonly string[], other: Relatives, follow: Follow): HTMLElement[] {
  return other.cells.map(({ cell, share }) => {
    const shown = { layer: other.layer.name, atlas: other.atlas, level: other.level, cell };
    const label = `${percent(share)} of the samples lie in ${cellName(names, shown)}`;
    return cellButton(shown, percent(share), label, () => follow(shown.layer, addressOf(shown)));
  });
}
