// Bar charts of class attributions.

import { attribution, type Heatmap } from "../data/attribution";
import { signed } from "../data/format";
import type { ClassValue } from "../data/level";
import type { HighlightedClass } from "../state/class-selection";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";

/**
 * List of classes; bar lengths are relative to the largest absolute value. `chosen` is highlighted; if several classes
 * are highlighted, each has its color. `choose` is called with whether the class is added to the highlighted ones.
 * `format` writes the values: attributions, unless they are something else.
 */
export function createClassBars(
  names: readonly string[],
  values: readonly ClassValue[],
  selectedClass: number | null,
  choose: ((id: number, add: boolean) => void) | null,
  highlights: readonly HighlightedClass[] = [],
  format: (value: number) => string = signed,
): HTMLElement {
  if (!values.length) return el("p", { class: "empty" }, "No class has a positive attribution here.");
  const longest = Math.max(...values.map(({ value }) => Math.abs(value)));
  const list = el("ol", { class: "bars" });
  for (const { id, value } of values) {
    const bar = el("span", { class: value < 0 ? "bar negative" : "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.abs(value)) / longest}%`;
    const content = [
      el("span", { class: "name" }, names[id] ?? `class ${id}`),
      el("span", { class: "value" }, format(value)),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    ];
    const hue = highlights.length > 1 ? highlights.find((entry) => entry.id === id)?.hue : undefined;
    const item = el("li", {
      class: id === selectedClass ? "highlighted" : null,
      "data-hue": hue === undefined ? null : hue + 1,
    });
    if (choose) {
      const button = el("button", { type: "button", title: "Highlight this class on the map" }, ...content);
      button.addEventListener("click", ({ shiftKey }) => choose(id, shiftKey));
      item.append(button);
    } else item.append(...content);
    list.append(item);
  }
  return list;
}

// Attributions of a cell to the two classes of a comparison, as bars from the middle.

/** The left and the right class of the scene's atlas with the cell's values; null if the atlas is no comparison. */
export function sidesOf(scene: Scene, cell: number): readonly [ClassValue, ClassValue] | null {
  if (!scene.sides) return null;
  const listed = scene.level.topClasses(cell);
  const value = (heatmap: Heatmap): ClassValue => {
    const exact = listed.find(({ id }) => id === heatmap.classId);
    return exact ?? { id: heatmap.classId, value: attribution(heatmap, cell) };
  };
  return [value(scene.sides[0]), value(scene.sides[1])];
}

/** Both bars with names and values, and the class with the larger value. */
export function createComparisonBars(
  names: readonly string[],
  [left, right]: readonly [ClassValue, ClassValue],
): HTMLElement {
  const longest = Math.max(Math.abs(left.value), Math.abs(right.value)) || 1;
  const createSide = ({ id, value }: ClassValue, side: "left" | "right"): HTMLElement => {
    const bar = el("span", { class: value < 0 ? "bar negative" : "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.abs(value)) / longest}%`;
    return el(
      "div",
      { class: `side ${side}` },
      el("span", { class: "name" }, names[id] ?? `class ${id}`),
      el("span", { class: "value" }, signed(value)),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    );
  };
  const difference = right.value - left.value;
  const favored = names[(difference < 0 ? left : right).id] ?? "";
  const words = `${signed(Math.abs(difference))} for ${favored}`;
  return el(
    "div",
    { class: "comparison-bars" },
    createSide(left, "left"),
    createSide(right, "right"),
    el("p", { class: "secondary" }, words),
  );
}
