// All units of a layer: their pictures in an order, and the same as a table.

import { activation, decimal, share } from "../data/format";
import { el } from "../ui/dom";
import {
  type LayerUnits,
  reached,
  type Selection,
  SORTS,
  type SortKey,
  sorted,
  toHash,
  type UnitResult,
  unitFile,
} from "./result";

/** The sheet, its order, and the table. */
export function createContactSheet(
  found: LayerUnits,
  selection: Selection,
  onSort: (key: SortKey) => void,
): HTMLElement[] {
  const order = el(
    "select",
    { id: "sort" },
    ...SORTS.map(({ key, label }) => el("option", { value: key }, label)),
  );
  order.value = selection.sort;
  order.addEventListener("change", () => onSort(SORTS[order.selectedIndex]?.key ?? "channel"));
  const units = sorted(found.units, selection.sort);
  const cards = units.map((unit) => el("li", {}, createCard(found.layer, unit, selection)));
  return [
    el("p", { class: "order" }, el("label", { for: "sort" }, "Order by "), order),
    el("ul", { class: "sheet" }, ...cards),
    createTable(found.layer, units, selection),
  ];
}

function createCard(layer: string, unit: UnitResult, selection: Selection): HTMLElement {
  const href = toHash({ ...selection, unit: unit.channel });
  const name = el(
    "span",
    { class: "name" },
    unit.name === null ? el("span", { class: "visually-hidden" }, "Unit ") : null,
    unit.name ?? `${unit.channel}`,
  );
  return el("a", { href }, createPicture(layer, unit, ""), name);
}

/** The first picture of a unit, or what is known instead; `alt` describes it where no text beside it does. */
export function createPicture(layer: string, unit: UnitResult, alt: string): HTMLElement {
  if (!unit.pictures.length) {
    const text = unit.high <= 0 && unit.low >= 0 ? "never active" : "no picture";
    return el("span", { class: "picture missing" }, text);
  }
  const src = unitFile(layer, "pictures", unit.channel);
  return el("span", { class: "picture" }, el("img", { src, alt, loading: "lazy", decoding: "async" }));
}

function createTable(layer: string, units: readonly UnitResult[], selection: Selection): HTMLElement {
  const titles = [
    "Unit",
    "Highest activation",
    "Images where active",
    "Clarity",
    "Clusters",
    "Nearest unit",
    "Picture reaches",
  ];
  const head = el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title)));
  const rows = units.map((unit) => {
    const { channel, correlation } = unit.nearest;
    const cells = [
      activation(unit.high),
      share(unit.active.images),
      decimal(unit.clarity ?? Number.NaN),
      `${unit.clusters.length || "–"}`,
      channel < 0 ? "–" : `${channel} (correlation ${decimal(correlation ?? Number.NaN)})`,
      describeReached(unit),
    ];
    const link = el("a", { href: toHash({ ...selection, unit: unit.channel }) }, `${unit.channel}`);
    return el("tr", {}, el("th", { scope: "row" }, link), ...cells.map((text) => el("td", {}, text)));
  });
  const table = el(
    "table",
    {},
    el("caption", {}, `Units of ${layer}`),
    el("thead", {}, head),
    el("tbody", {}, ...rows),
  );
  return el(
    "details",
    {},
    el("summary", {}, "All figures as a table"),
    el("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Figures of the units" }, table),
  );
}

/** The activation that a unit's picture reaches, as a multiple of the highest one in the images. */
export function describeReached(unit: UnitResult): string {
  const found = reached(unit);
  return Number.isNaN(found) ? "–" : `${found.toFixed(1)} × the highest in the images`;
}
