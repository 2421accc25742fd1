// All units of a layer: their pictures in an order, and the same as a table.

import { activation, decimal, share } from "../data/format";
import { el } from "../ui/dom";
import {
  type IntervalValue,
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
  const sorts = SORTS.filter(({ key }) => found.concepts || key !== "concept");
  const sort = sorts.some(({ key }) => key === selection.sort) ? selection.sort : "channel";
  const order = el(
    "select",
    { id: "sort" },
    ...sorts.map(({ key, label }) => el("option", { value: key }, label)),
  );
  order.value = sort;
  order.addEventListener("change", () => onSort(sorts[order.selectedIndex]?.key ?? "channel"));
  const units = sorted(found.units, sort);
  const cards = units.map((unit) => el("li", {}, createCard(found.layer, unit, selection)));
  return [
    el("p", { class: "order" }, el("label", { for: "sort" }, "Order by "), order),
    el("ul", { class: "sheet" }, ...cards),
    createConcepts(found),
    createTable(found, units, selection),
  ].filter((one) => one !== null);
}

/** What the masks of the image set say of the layer. */
function createConcepts({ concepts }: LayerUnits): HTMLElement | null {
  if (!concepts) return null;
  const text = ({ value, low, high }: IntervalValue): string =>
    `${decimal(value)} (95 % interval over units ${decimal(low)} to ${decimal(high)})`;
  return el(
    "p",
    { class: "concepts" },
    `Mean intersection over union of a unit’s active region with the concept nearest to it: ${text(concepts.units)}; of the axes of a random rotation of the channels: ${text(concepts.rotated)}. Concepts that belong to single units are lost in the rotation.`,
  );
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

function createTable(
  { layer, concepts }: LayerUnits,
  units: readonly UnitResult[],
  selection: Selection,
): HTMLElement {
  const titles = [
    "Unit",
    "Highest activation",
    "Images where active",
    "Clarity",
    "Clusters",
    "Nearest unit",
    "Picture reaches",
    ...(concepts ? ["Nearest concept"] : []),
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
      ...(concepts ? [describeConcept(unit)] : []),
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

/** The concept that a unit overlaps most with, and the intersection over union. */
export function describeConcept({ concept }: UnitResult): string {
  return concept ? `${concept.name}, ${decimal(concept.iou ?? Number.NaN)}` : "–";
}
