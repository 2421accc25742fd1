// Legend of the measure colors and the marks of cells to doubt, below the caption.

import { count, decimal } from "../data/format";
import type { LevelData } from "../data/level";
import type { JudgedMeasure, Verdict } from "../data/manifest";
import { type MeasureInfo, measureInfo, measureRange, positionInRange, type Range } from "../data/measures";
import { doubtsOf, JUDGED, MEASURES } from "../data/verdict";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon, el } from "../ui/dom";

export class MeasureLegend {
  readonly element = el("div", { class: "measure-legend", hidden: true });
  private announcedName = "";
  private scene: Scene | null = null;

  constructor(
    private readonly verdict: Verdict,
    private readonly store: Store,
  ) {
    store.subscribe(({ measure, marks }, before) => {
      if (measure !== before.measure || marks !== before.marks) this.update();
    });
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.update();
  }

  /** Explain what is drawn over the cells. */
  private update(): void {
    if (!this.scene) return;
    const { level } = this.scene;
    const { measure, marks } = this.store.state;
    const kind = measureInfo(measure);
    const range = kind && measureRange(level, kind);
    const parts = [
      ...(kind && range ? this.createMeasure(kind, range) : []),
      ...(kind && !range ? [el("p", { class: "empty" }, "Not measured in this atlas.")] : []),
      ...(marks ? createMarkLegend(this.verdict, level) : []),
    ];
    this.element.replaceChildren(...parts);
    this.element.hidden = !parts.length;
    this.announceMeasure(kind, range);
  }

  private createMeasure(kind: MeasureInfo, range: Range): HTMLElement[] {
    const away = createButton("Show icons only", createSvgIcon("M6 6 14 14", "M14 6 6 14"), () =>
      this.store.set({ measure: null }),
    );
    const tick = el("span", { class: "tick" });
    tick.style.left = `${100 * positionInRange(range, kind, range.middle)}%`;
    const text = (value: number): string => formatValue(kind, value);
    const [low, high] = [range.least < range.low ? "≤ " : "", range.most > range.high ? "≥ " : ""];
    return [
      el("header", {}, el("h3", {}, kind.name), away),
      el("div", { class: "measure-scale", "aria-hidden": "true" }, tick),
      createEnds([
        ["lowest", low + text(range.low)],
        ["median", text(range.middle)],
        ["highest", high + text(range.high)],
      ]),
      el("p", { class: "secondary" }, kind.meaning),
    ];
  }

  /** Announce a newly chosen measure. */
  private announceMeasure(kind: MeasureInfo | null, range: Range | null): void {
    const name = kind?.name ?? "";
    if (name === this.announcedName) return;
    this.announcedName = name;
    if (!kind) announce("Icons only");
    else if (range)
      announce(`${name}: ${formatValue(kind, range.least)} to ${formatValue(kind, range.most)}`);
  }
}

/** Text of a value; counts as integers. */
function formatValue({ column }: MeasureInfo, value: number): string {
  return column === "count" ? String(value) : decimal(value);
}

/** Names and values along a scale. */
export function createEnds(entries: readonly (readonly [name: string, value: string])[]): HTMLElement {
  const children = entries.map(([name, value]) =>
    el("div", {}, el("dt", { class: "visually-hidden" }, name), el("dd", { title: name }, value)),
  );
  return el("dl", { class: "measure-ends" }, ...children);
}

/** Number of cells to doubt, and for each reason its mark, its limit and its cells. */
function createMarkLegend(verdict: Verdict, level: LevelData): HTMLElement[] {
  const found: Record<JudgedMeasure, number> = { fidelity: 0, reliability: 0, spread: 0 };
  let [marked, icons] = [0, 0];
  for (let cell = 0; cell < level.cells; cell++) {
    if (!level.hasIcon(cell)) continue;
    const doubts = doubtsOf(verdict, level, cell);
    for (const { measure } of doubts) found[measure] += 1;
    marked += doubts.length ? 1 : 0;
    icons += 1;
  }
  const list = el("ul", { class: "mark-legend" });
  for (const measure of MEASURES) {
    const { good, doubt } = verdict[measure];
    const limit = `${JUDGED[measure].doubt}, ${good > doubt ? "below" : "above"} ${decimal(doubt)}`;
    const mark = el("span", { class: "mark", "data-measure": measure, "aria-hidden": "true" });
    list.append(el("li", {}, mark, limit, el("span", { class: "secondary" }, count(found[measure], "cell"))));
  }
  return [el("h3", {}, `${marked} of ${count(icons, "cell")} to doubt`), list];
}
