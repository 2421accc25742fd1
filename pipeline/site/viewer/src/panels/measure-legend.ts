// What the colours and marks over the icons mean, in the corner under the wall label.

import { count, decimal } from "../data/format";
import type { LevelData } from "../data/level";
import { type Doubt, doubts, type Kind, kindOf, position, type Range, rangeOf } from "../data/measures";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { button, drawing, el } from "../ui/dom";

export class MeasureLegend {
  readonly element = el("div", { class: "measure-legend", hidden: true });
  private told = "";
  private scene: Scene | null = null;

  constructor(private readonly store: Store) {
    store.subscribe(({ measure, marks }, before) => {
      if (measure !== before.measure || marks !== before.marks) this.update();
    });
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.update();
  }

  /** Explain what lies over the cells, if anything does. */
  private update(): void {
    if (!this.scene) return;
    const { level } = this.scene;
    const { measure, marks } = this.store.state;
    const kind = kindOf(measure);
    const range = kind && rangeOf(level, kind);
    const parts = [
      ...(kind && range ? this.measure(kind, range) : []),
      ...(kind && !range ? [el("p", { class: "nothing" }, "Not measured in this atlas.")] : []),
      ...(marks ? [markKey(level)] : []),
    ];
    this.element.replaceChildren(...parts);
    this.element.hidden = !parts.length;
    this.tell(kind, range);
  }

  private measure(kind: Kind, range: Range): HTMLElement[] {
    const away = button("Show the icons alone", drawing("M6 6 14 14", "M14 6 6 14"), () =>
      this.store.set({ measure: null }),
    );
    const tick = el("span", { class: "tick" });
    tick.style.left = `${100 * position(range, kind, range.middle)}%`;
    const text = (value: number): string => figure(kind, value);
    const [low, high] = [range.least < range.low ? "≤ " : "", range.most > range.high ? "≥ " : ""];
    return [
      el("header", {}, el("h3", {}, kind.name), away),
      el("div", { class: "measure-scale", "aria-hidden": "true" }, tick),
      el(
        "dl",
        { class: "measure-ends" },
        entry("lowest", low + text(range.low)),
        entry("median", text(range.middle)),
        entry("highest", high + text(range.high)),
      ),
      el("p", { class: "fine" }, kind.meaning),
    ];
  }

  /** Read a measure out once it is chosen. */
  private tell(kind: Kind | null, range: Range | null): void {
    const name = kind?.name ?? "";
    if (name === this.told) return;
    this.told = name;
    if (!kind) announce("Icons alone");
    else if (range) announce(`${name}: ${figure(kind, range.least)} to ${figure(kind, range.most)}`);
  }
}

/** How a value is written: samples as whole numbers. */
function figure({ column }: Kind, value: number): string {
  return column === "count" ? String(value) : decimal(value);
}

function entry(name: string, value: string): HTMLElement {
  return el("div", {}, el("dt", { class: "unseen" }, name), el("dd", { title: name }, value));
}

/** How many cells bear each mark. */
function markKey(level: LevelData): HTMLElement {
  const found: Record<Doubt, number> = { "low fidelity": 0, "mixed content": 0 };
  for (let cell = 0; cell < level.cells; cell++) {
    if (level.isDrawn(cell)) for (const doubt of doubts(level, cell)) found[doubt] += 1;
  }
  const list = el("ul", { class: "mark-key" });
  for (const [doubt, cells] of Object.entries(found)) {
    const mark = el("span", { class: "mark", "data-doubt": doubt, "aria-hidden": "true" });
    list.append(el("li", {}, mark, doubt, el("span", { class: "fine" }, count(cells, "cell"))));
  }
  return list;
}
