// Quality of a cell's icon: a summary, its measures, and their definitions.

import type { Verdict } from "../data/manifest";
import { describeDoubt, describeVerdict, doubtsOf } from "../data/verdict";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";
import { cellMeasures } from "./cell-description";

/** Content of the panel's section. */
export function createIconQuality(verdict: Verdict, scene: Scene, cell: number): HTMLElement[] {
  const measures = cellMeasures(scene, cell);
  const numbers = el("dl", { class: "numbers" });
  const meanings = el("dl", { class: "meanings" });
  for (const { name, value, meaning } of measures) {
    numbers.append(el("div", { title: meaning }, el("dt", {}, name), el("dd", {}, value)));
    meanings.append(el("div", {}, el("dt", {}, name), el("dd", {}, meaning)));
  }
  const explained = el("details", { class: "explanation" }, el("summary", {}, "About these measures"));
  explained.append(meanings);
  const reasons = doubtsOf(verdict, scene.level, cell).map((doubt) =>
    el("p", { class: "doubt" }, describeDoubt(doubt)),
  );
  const sentence = describeVerdict(verdict, scene.level, cell);
  return [el("p", { class: "verdict" }, sentence), ...reasons, numbers, explained];
}
