// Classes of a cell with bars, longest first.

import type { Chosen } from "./chosen";
import { el } from "./dom";
import { signed } from "./format";
import type { ClassValue } from "./level-data";

/**
 * A list of classes; bars are relative to the strongest one. `chosen` is highlighted; of several highlighted classes
 * each is in its colour. `choose` hears whether a class is to be added to them.
 */
export function bars(
  names: readonly string[],
  values: readonly ClassValue[],
  chosen: number | null,
  choose: ((id: number, add: boolean) => void) | null,
  highlights: readonly Chosen[] = [],
): HTMLElement {
  if (!values.length) return el("p", { class: "nothing" }, "No class gains from what is seen here.");
  const longest = Math.max(...values.map(({ value }) => Math.abs(value)));
  const list = el("ol", { class: "bars" });
  for (const { id, value } of values) {
    const bar = el("span", { class: value < 0 ? "bar against" : "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.abs(value)) / longest}%`;
    const face = [
      el("span", { class: "name" }, names[id] ?? `class ${id}`),
      el("span", { class: "value" }, signed(value)),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    ];
    const hue = highlights.length > 1 ? highlights.find((entry) => entry.id === id)?.hue : undefined;
    const item = el("li", {
      class: id === chosen ? "chosen" : null,
      "data-hue": hue === undefined ? null : hue + 1,
    });
    if (choose) {
      const press = el("button", { type: "button", title: "Show this class on the map" }, ...face);
      press.addEventListener("click", ({ shiftKey }) => choose(id, shiftKey));
      item.append(press);
    } else item.append(...face);
    list.append(item);
  }
  return list;
}
