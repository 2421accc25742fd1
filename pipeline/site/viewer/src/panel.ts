// The panel of the pinned cell.

import { bars } from "./bars";
import { cellSections } from "./cell-sections";
import { densityLine } from "./density-words";
import { classesOf, measures } from "./describe";
import { button, drawing, el } from "./dom";
import { loadExemplars } from "./exemplars";
import { count } from "./format";
import { icon } from "./icon";
import type { Manifest } from "./manifest";
import { patches } from "./patches";
import type { Follow } from "./relatives";
import type { Scene } from "./scene";
import { section } from "./section";
import { sidesOf, versus } from "./versus";

export interface PanelActions {
  close(): void;
  choose(classId: number): void;
  /** Go to a cell of another layer. */
  readonly follow: Follow;
  report(error: unknown): void;
}

export class Panel {
  readonly element = el("section", {
    class: "panel",
    "aria-label": "Pinned cell",
    hidden: true,
    tabindex: "-1",
  });
  private shown = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly actions: PanelActions,
  ) {}

  hide(): void {
    this.shown = "";
    this.element.hidden = true;
  }

  /** Show a cell of the scene's level. */
  show(scene: Scene, cell: number): void {
    const { density } = scene;
    const place = `${scene.level.name}/${cell}`;
    const name = `${place}/${density?.of === "second"}`;
    const same = name === this.shown;
    const scrolled = this.shown.startsWith(`${place}/`) ? this.element.scrollTop : 0;
    this.shown = name;
    this.element.hidden = false;
    const line = density && el("p", { class: "density" }, densityLine(density, scene.level.size, cell));
    const classes = section("What it speaks for", this.classes(scene, cell), ...(line ? [line] : []));
    if (same) {
      this.element.querySelector(".section")?.replaceWith(classes);
      return;
    }
    const found = el("div", { class: "exemplars" });
    this.element.replaceChildren(
      this.head(scene, cell),
      classes,
      this.manifest.exemplars ? section("Where it was seen", found) : "",
      section("How far to trust the icon", numbers(scene, cell)),
      ...cellSections(this.manifest, scene, cell, this.actions),
    );
    this.element.scrollTop = scrolled;
    loadExemplars(this.manifest, scene.layer, scene.level, cell).then((exemplars) => {
      if (name === this.shown) found.replaceChildren(...patches(this.manifest, scene.layer, exemplars));
    }, this.actions.report);
  }

  private classes(scene: Scene, cell: number): HTMLElement {
    const chosen = scene.heat?.classId ?? null;
    const names = this.manifest.network.classes;
    const sides = sidesOf(scene, cell);
    if (!sides) return bars(names, classesOf(scene, cell), chosen, this.actions.choose);
    const third = classesOf(scene, cell).filter(({ id }) => !scene.atlas.classes.includes(id));
    const others = third.length ? bars(names, third, chosen, this.actions.choose) : null;
    return el("div", {}, versus(names, sides), others);
  }

  private head(scene: Scene, cell: number): HTMLElement {
    const { level, layer, atlas } = scene;
    const [row, column] = [level.row(cell), level.column(cell)];
    const samples = level.value("count", cell);
    const best = level.topClasses(cell)[0];
    const title = best ? (this.manifest.network.classes[best.id] ?? "") : "No class";
    return el(
      "header",
      {},
      button("Close the panel", drawing("M5 5 15 15", "M15 5 5 15"), this.actions.close, "quiet close"),
      icon(layer.name, atlas, { size: level.size, row, column }),
      el("h2", {}, title),
      el(
        "p",
        { class: "fine" },
        `${count(samples, "sample")} · row ${row + 1}, column ${column + 1} of ${level.size}`,
      ),
    );
  }
}

function numbers(scene: Scene, cell: number): HTMLElement {
  const list = el("dl", { class: "numbers" });
  for (const { name, value, meaning } of measures(scene, cell)) {
    list.append(el("div", { title: meaning }, el("dt", {}, name), el("dd", {}, value)));
  }
  return list;
}
