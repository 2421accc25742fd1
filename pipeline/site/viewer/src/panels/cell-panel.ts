// The panel of the pinned cell.

import { bars, sidesOf, versus } from "../classes/class-bars";
import { densityLine } from "../data/density";
import { loadExemplars } from "../data/exemplars";
import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import { section } from "../ui/controls";
import { button, drawing, el } from "../ui/dom";
import { icon } from "../ui/icons";
import { classesOf } from "./cell-description";
import { cellSections } from "./cell-sections";
import { patches } from "./exemplar-patches";
import { IconSheet } from "./icon-dialog";
import { trust } from "./icon-quality";
import type { Follow, Trail } from "./other-layers";

export interface PanelActions {
  close(): void;
  choose(classId: number, add: boolean): void;
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
  private readonly iconSheet: IconSheet;
  private shown = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly trail: Trail,
    private readonly actions: PanelActions,
  ) {
    this.iconSheet = new IconSheet(manifest, actions.report);
  }

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
    classes.classList.add("classes");
    if (same) {
      this.element.querySelector(".section.classes")?.replaceWith(classes);
      return;
    }
    const found = el("div", { class: "exemplars" });
    this.element.replaceChildren(
      this.head(scene, cell),
      this.trail.told(scene, cell, this.actions.follow) ?? "",
      classes,
      this.manifest.exemplars ? section("Where it was seen", found) : "",
      section("How far to trust the icon", ...trust(scene, cell)),
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
    const { highlights } = scene;
    if (!sides) return bars(names, classesOf(scene, cell), chosen, this.actions.choose, highlights);
    const third = classesOf(scene, cell).filter(({ id }) => !scene.atlas.classes.includes(id));
    const others = third.length ? bars(names, third, chosen, this.actions.choose, highlights) : null;
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
      this.enlarge(icon(layer.name, atlas, { size: level.size, row, column }), scene, cell, title),
      el("h2", {}, title),
      el(
        "p",
        { class: "fine" },
        `${count(samples, "sample")} · row ${row + 1}, column ${column + 1} of ${level.size}`,
      ),
    );
  }

  /** The icon as the button that shows it large, with where it comes from. */
  private enlarge(face: HTMLElement, scene: Scene, cell: number, title: string): HTMLElement {
    const name = "Enlarge the icon and tell where it comes from";
    const made = button(name, face, () => this.iconSheet.open(scene, cell, title), "enlarge");
    made.append(drawing("M11.5 4H16v4.5", "M16 4l-5 5", "M8.5 16H4v-4.5", "M4 16l5-5"));
    return made;
  }
}
