// The table of all groups: how often a picture becomes the other class, and how often it leaves its own.

import { el } from "../dom";
import { svg } from "../svg";
import type { Estimate, Group, Tested } from "./content";
import { GROUPS, interval, points, type Scene, share } from "./words";

export function rateTable(scene: Scene<Tested>): HTMLElement {
  const { source, target, direction } = scene;
  const heads: readonly (readonly [string, string])[] = [
    [`becomes ${target}`, "static"],
    [`becomes ${target}`, "dynamic, an oracle"],
    [`leaves ${source}`, "static"],
    [`softmax of ${target}`, `static; before: ${share(direction.before.target)}`],
    [`the atlas’s lead`, `becomes ${target}, static, points`],
  ];
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, el("span", { class: "unseen" }, "Patches")),
    ...heads.map(([title, way]) => el("th", { scope: "col" }, title, el("span", { class: "way" }, way))),
  );
  const rows = direction.groups.map((group) => row(scene, group, heads));
  return el("table", { class: "rates" }, el("thead", {}, head), el("tbody", {}, ...rows));
}

function row(
  { direction }: Scene<Tested>,
  group: Group,
  heads: readonly (readonly [string, string])[],
): HTMLElement {
  const values = [group.static.becomes, group.dynamic.becomes, group.static.leaves, group.static.target];
  const { name, what } = GROUPS[group.name];
  const cells = values.map((value, index) => cell(value, (heads[index] ?? []).join(", ")));
  const ahead = group.name === "atlas" ? null : direction.added[group.name].static;
  const last = ahead ? lead(ahead, (heads.at(-1) ?? []).join(", ")) : el("td", {});
  return el(
    "tr",
    { class: group.name },
    el("th", { scope: "row" }, name, el("span", {}, what)),
    ...cells,
    last,
  );
}

/** How far the atlas's rate lies above a control's. */
function lead(added: Estimate, label: string): HTMLElement {
  const value = el("span", { class: "value" }, points(added.value));
  return el(
    "td",
    { "data-label": label, class: "lead-over" },
    value,
    el("span", { class: "between" }, interval(added)),
  );
}

function cell(value: Estimate, label: string): HTMLElement {
  return el(
    "td",
    { "data-label": label },
    el("span", { class: "value" }, share(value.value)),
    bar(value),
    el("span", { class: "between" }, interval(value)),
  );
}

/** The interval as a bar from 0 to 100 %, the mean as a dot. */
function bar({ value, low, high }: Estimate): SVGSVGElement {
  const place = (at: number): number => 4 + 112 * at;
  return svg(
    "svg",
    { class: "interval", viewBox: "0 0 120 12", "aria-hidden": "true" },
    svg("line", { class: "track", x1: 4, x2: 116, y1: 6, y2: 6 }),
    svg("line", { class: "span", x1: place(low), x2: place(high), y1: 6, y2: 6 }),
    svg("circle", { cx: place(value), cy: 6, r: 4 }),
  );
}
