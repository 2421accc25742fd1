// The card beside the pointer.

import { bars, sidesOf, versus } from "../classes/class-bars";
import { densityLine } from "../data/density";
import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import { doubtLines } from "../data/measures";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";
import { icon } from "../ui/icons";
import { classesOf, measures } from "./cell-description";

const GAP = 22;
const EDGE = 12;
const LISTED = 5;
const OTHERS = 2; // classes that are told beside several highlighted ones

export class Card {
  readonly element = el("aside", { class: "card", "aria-hidden": "true", hidden: true });
  private shown = "";

  constructor(private readonly manifest: Manifest) {}

  /** Show a cell beside a place in the window, CSS pixels. */
  show(scene: Scene, cell: number, x: number, y: number): void {
    const classes = scene.highlights.map(({ id, hue }) => `${id}.${hue}`).join();
    const name = `${scene.level.name}/${cell}/${classes}/${scene.density?.of}`;
    if (name !== this.shown) {
      this.shown = name;
      this.element.replaceChildren(...this.content(scene, cell));
    }
    this.element.hidden = false;
    this.place(x, y);
  }

  hide(): void {
    this.element.hidden = true;
  }

  private content(scene: Scene, cell: number): HTMLElement[] {
    const { level, density } = scene;
    const address = { size: level.size, row: level.row(cell), column: level.column(cell) };
    const [fidelity, centred, , spread] = measures(scene, cell);
    const facts = [
      count(level.value("count", cell), "sample"),
      `spread ${spread?.value}`,
      `fidelity ${fidelity?.value}`,
      `centred ${centred?.value}`,
    ];
    return [
      icon(scene.layer.name, scene.atlas, address),
      el(
        "div",
        { class: "text" },
        this.classes(scene, cell),
        density ? el("p", { class: "density" }, densityLine(density, level.size, cell)) : null,
        ...doubtLines(level, cell).map((line) => el("p", { class: "doubt" }, line)),
        el("p", { class: "facts" }, ...facts.map((fact) => el("span", {}, fact))),
      ),
    ];
  }

  /** In a comparison its two classes and the highlighted ones, elsewhere the strongest; several highlighted ones first. */
  private classes(scene: Scene, cell: number): HTMLElement {
    const names = this.manifest.network.classes;
    const chosen = scene.heat?.classId ?? null;
    const sides = sidesOf(scene, cell);
    const { highlights } = scene;
    const told = classesOf(scene, cell);
    const most = highlights.length > 1 ? Math.max(highlights.length + OTHERS, LISTED) : told.length;
    if (!sides) return bars(names, told.slice(0, most), chosen, null, highlights);
    const third = told.filter(
      ({ id }) => highlights.some((entry) => entry.id === id) && !scene.atlas.classes.includes(id),
    );
    return el(
      "div",
      {},
      versus(names, sides),
      third.length ? bars(names, third, chosen, null, highlights) : null,
    );
  }

  private place(x: number, y: number): void {
    const { offsetWidth, offsetHeight } = this.element;
    const { clientWidth, clientHeight } = document.documentElement;
    const left = x + GAP + offsetWidth + EDGE > clientWidth ? x - GAP - offsetWidth : x + GAP;
    const top = Math.min(Math.max(y - offsetHeight / 3, EDGE), clientHeight - offsetHeight - EDGE);
    this.element.style.transform = `translate(${Math.round(Math.max(left, EDGE))}px, ${Math.round(top)}px)`;
  }
}
