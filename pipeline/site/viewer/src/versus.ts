// What a cell of a comparison says for each of the two classes: bars that part from the middle.

import { el } from "./dom";
import { signed } from "./format";
import { attribution, type Heat } from "./heat";
import type { ClassValue } from "./level-data";
import type { Scene } from "./scene";

/** The left and the right class of the scene's atlas with a cell's values; null where nothing is compared. */
export function sidesOf(scene: Scene, cell: number): readonly [ClassValue, ClassValue] | null {
  if (!scene.sides) return null;
  const listed = scene.level.topClasses(cell);
  const value = (heat: Heat): ClassValue => {
    const exact = listed.find(({ id }) => id === heat.classId);
    return exact ?? { id: heat.classId, value: attribution(heat, cell) };
  };
  return [value(scene.sides[0]), value(scene.sides[1])];
}

/** The two bars with names and values, and which class the cell favours. */
export function versus(
  names: readonly string[],
  [left, right]: readonly [ClassValue, ClassValue],
): HTMLElement {
  const longest = Math.max(Math.abs(left.value), Math.abs(right.value)) || 1;
  const side = ({ id, value }: ClassValue, place: "left" | "right"): HTMLElement => {
    const bar = el("span", { class: value < 0 ? "bar against" : "bar", "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.abs(value)) / longest}%`;
    return el(
      "div",
      { class: `side ${place}` },
      el("span", { class: "name" }, names[id] ?? `class ${id}`),
      el("span", { class: "value" }, signed(value)),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    );
  };
  const difference = right.value - left.value;
  const favoured = names[(difference < 0 ? left : right).id] ?? "";
  const words = `${signed(Math.abs(difference))} for ${favoured}`;
  return el(
    "div",
    { class: "versus" },
    side(left, "left"),
    side(right, "right"),
    el("p", { class: "fine" }, words),
  );
}
