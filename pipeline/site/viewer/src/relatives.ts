// The same samples at other layers: a row of icons for each.

import { el } from "./dom";
import { percent } from "./format";
import { icon } from "./icon";
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
    const cells = other.cells.map(({ cell, share }) => relative(names, other, cell, share, follow));
    if (!cells.length) cells.push(el("p", { class: "nothing" }, "No drawn cell holds them."));
    const name = el("span", { class: "layer", title: other.layer.name }, other.layer.name);
    list.append(el("li", {}, name, el("div", { class: "cells" }, ...cells)));
  }
  return list;
}

function relative(
  names: readonly string[],
  { layer, atlas, level }: Relatives,
  cell: number,
  share: number,
  follow: Follow,
): HTMLElement {
  const address = { size: level.size, row: level.row(cell), column: level.column(cell) };
  const best = level.topClasses(cell)[0];
  const place = `${layer.name}, row ${address.row + 1}, column ${address.column + 1}`;
  const speaks = best ? `, speaks for ${names[best.id] ?? best.id}` : "";
  const label = `${percent(share)} of the samples lie in ${place}${speaks}`;
  const press = el("button", { type: "button", class: "relative", title: label, "aria-label": label });
  press.append(icon(layer.name, atlas, address), el("span", { class: "share" }, percent(share)));
  press.addEventListener("click", () => follow(layer.name, address));
  return press;
}
