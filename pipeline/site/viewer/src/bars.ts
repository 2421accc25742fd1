// Classes of a cell with bars, longest first.

import { el } from "./dom";
import { signed } from "./format";
import type { ClassValue } from "./level-data";

/** A list of classes; bars are relative to the strongest one. `chosen` is highlighted. */
export function bars(
  names: readonly string[],
  values: readonly ClassValue[],
  chosen: number | null,
  choose: ((id: number) => void) | null,
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
    const item = el("li", { class: id === chosen ? "chosen" : null });
    if (choose) {
      const press = el("button", { type: "button", title: "Show this class on the map" }, ...face);
      press.addEventListener("click", () => choose(id));
      item.append(press);
    } else item.append(...face);
    list.append(item);
  }
  return list;
}
