// Quality of a cell's icon: a summary, its measures, and their definitions.

import { qualityWarningLines } from "../data/measures";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";
import { cellMeasures } from "./cell-description";

// In a real SqueezeNet nine of ten icons are above the first limit of fidelity, half above that of reliability and a
// quarter below that of spread.
const HIGH_FIDELITY = 0.8;
const MEDIUM_FIDELITY = 0.6;
const HIGH_RELIABILITY = 0.8;
const LOW_RELIABILITY = 0.5;
const LOW_SPREAD = 0.35;
const HIGH_SPREAD = 0.55;

/** Content of the panel's section. */
export function createIconQuality(scene: Scene, cell: number): HTMLElement[] {
  const measures = cellMeasures(scene, cell);
  const numbers = el("dl", { class: "numbers" });
  const meanings = el("dl", { class: "meanings" });
  for (const { name, value, meaning } of measures) {
    numbers.append(el("div", { title: meaning }, el("dt", {}, name), el("dd", {}, value)));
    meanings.append(el("div", {}, el("dt", {}, name), el("dd", {}, meaning)));
  }
  const explained = el("details", { class: "explanation" }, el("summary", {}, "About these measures"));
  explained.append(meanings);
  const lines = qualityWarningLines(scene.level, cell).map((line) =>
    el("p", { class: "quality-warning" }, line),
  );
  return [el("p", { class: "verdict" }, describeIconQuality(scene, cell)), ...lines, numbers, explained];
}

/** The measures as a short text. */
export function describeIconQuality({ level }: Scene, cell: number): string {
  const of = `${describeFidelity(level.value("fidelity_centred", cell))}; ${describeSpread(level.value("spread", cell))}`;
  return `${of}; ${describeReliability(level.value("reliability", cell))}.`;
}

function describeFidelity(centered: number): string {
  if (Number.isNaN(centered)) return "Icon of unknown fidelity";
  if (centered >= HIGH_FIDELITY) return "High-fidelity icon";
  return centered >= MEDIUM_FIDELITY ? "Medium-fidelity icon" : "Low-fidelity icon";
}

function describeSpread(spread: number): string {
  if (Number.isNaN(spread)) return "unknown spread";
  if (spread < LOW_SPREAD) return "similar samples";
  return spread < HIGH_SPREAD ? "varied samples" : "mixed samples";
}

function describeReliability(reliability: number): string {
  if (Number.isNaN(reliability)) return "unknown reliability (too few images)";
  if (reliability >= HIGH_RELIABILITY) return "high reliability";
  return reliability >= LOW_RELIABILITY ? "medium reliability" : "low reliability";
}
