// How far to trust a cell's icon: a sentence, the numbers behind it, and what they mean.

import { doubtLines } from "../data/measures";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";
import { measures } from "./cell-description";

// Of the icons of a real SqueezeNet nine in ten lie above the first limit of fidelity, half above that of reliability
// and a quarter below that of spread.
const FAITHFUL = 0.8;
const FAIR = 0.6;
const STEADY = 0.8;
const SHAKY = 0.5;
const ALIKE = 0.35;
const VARIED = 0.55;

/** The content of the panel's section. */
export function trust(scene: Scene, cell: number): HTMLElement[] {
  const told = measures(scene, cell);
  const numbers = el("dl", { class: "numbers" });
  const meanings = el("dl", { class: "meanings" });
  for (const { name, value, meaning } of told) {
    numbers.append(el("div", { title: meaning }, el("dt", {}, name), el("dd", {}, value)));
    meanings.append(el("div", {}, el("dt", {}, name), el("dd", {}, meaning)));
  }
  const explained = el("details", { class: "explained" }, el("summary", {}, "What these numbers mean"));
  explained.append(meanings);
  const lines = doubtLines(scene.level, cell).map((line) => el("p", { class: "doubt" }, line));
  return [el("p", { class: "verdict" }, verdict(scene, cell)), ...lines, numbers, explained];
}

/** The numbers in a sentence or two. */
export function verdict({ level }: Scene, cell: number): string {
  const of = `${picture(level.value("fidelity_centred", cell))} of ${kind(level.value("spread", cell))}`;
  return `${of}; ${likelihood(level.value("reliability", cell))}.`;
}

function picture(centred: number): string {
  if (Number.isNaN(centred)) return "A picture that was not measured";
  if (centred >= FAITHFUL) return "A faithful picture";
  return centred >= FAIR ? "A fair picture" : "A loose picture";
}

function kind(spread: number): string {
  if (Number.isNaN(spread)) return "the cell";
  if (spread < ALIKE) return "sights much alike";
  return spread < VARIED ? "varied sights" : "a mixture of sights";
}

function likelihood(reliability: number): string {
  if (Number.isNaN(reliability)) return "too few images to tell what others would change";
  if (reliability >= STEADY) return "other images would change it little";
  return reliability >= SHAKY
    ? "other images would change it somewhat"
    : "other images might change it wholly";
}
