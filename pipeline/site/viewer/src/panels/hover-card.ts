// Hover card of the cell at the pointer.

import { createClassBars, createComparisonBars, sidesOf } from "../classes/class-bars";
import { describeChannel } from "../data/channels";
import { describeDensity } from "../data/density";
import { count } from "../data/format";
import { styleOf } from "../data/icon-styles";
import type { Manifest } from "../data/manifest";
import { describeDoubt, doubtsOf } from "../data/verdict";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";
import { createIcon } from "../ui/icons";
import { cellMeasures, classesOf } from "./cell-description";
import { createSampleContent } from "./sample-card";

const GAP = 22;
const EDGE = 12;
const MAX_CLASSES_SHOWN = 5;
const OTHER_CLASSES = 2; // classes listed in addition to several highlighted ones

export class HoverCard {
  readonly element = el("aside", { class: "card", "aria-hidden": "true", hidden: true });
  private currentKey = "";

  constructor(private readonly manifest: Manifest) {}

  /** Show a cell next to a point of the window, CSS pixels. */
  show(scene: Scene, cell: number, x: number, y: number): void {
    const createClasses = scene.highlights.map(({ id, hue }) => `${id}.${hue}`).join();
    const position = `${scene.level.name}/${cell}/${styleOf(scene.atlas)}`;
    const name = `${position}/${createClasses}/${scene.density?.of}/${scene.channel?.channel}`;
    if (name !== this.currentKey) {
      this.currentKey = name;
      this.element.replaceChildren(...this.createContent(scene, cell));
    }
    this.element.hidden = false;
    this.moveTo(x, y);
  }

  /** Show a sample likewise. */
  showSample(scene: Scene, point: number, x: number, y: number): void {
    const name = `${scene.level.name}/sample ${point}`;
    if (name !== this.currentKey) {
      this.currentKey = name;
      this.element.replaceChildren(...createSampleContent(this.manifest, scene, point));
    }
    this.element.hidden = false;
    this.moveTo(x, y);
  }

  hide(): void {
    this.element.hidden = true;
  }

  private createContent(scene: Scene, cell: number): HTMLElement[] {
    const { level, density, channel } = scene;
    const address = { size: level.size, row: level.row(cell), column: level.column(cell) };
    const [, centered, reliability, spread] = cellMeasures(scene, cell);
    const facts = [
      count(level.value("count", cell), "sample"),
      `centered fidelity ${centered?.value}`,
      `reliability ${reliability?.value}`,
      `spread ${spread?.value}`,
    ];
    return [
      createIcon(scene.layer.name, scene.atlas, address),
      el(
        "div",
        { class: "text" },
        level.hasAttributions ? this.createClasses(scene, cell) : null,
        density ? el("p", { class: "density" }, describeDensity(density, level.size, cell)) : null,
        channel ? el("p", { class: "density" }, describeChannel(channel, level.size, cell)) : null,
        ...doubtsOf(this.manifest.verdict, level, cell).map((doubt) =>
          el("p", { class: "doubt" }, describeDoubt(doubt)),
        ),
        el("p", { class: "facts" }, ...facts.map((fact) => el("span", {}, fact))),
      ),
    ];
  }

  /**
   * In a comparison its two classes and the highlighted ones, otherwise the top classes; highlighted classes first.
   */
  private createClasses(scene: Scene, cell: number): HTMLElement {
    const names = this.manifest.network.classes;
    const selectedClass = scene.heatmap?.classId ?? null;
    const sides = sidesOf(scene, cell);
    const { highlights } = scene;
    const listed = classesOf(scene, cell);
    const most =
      highlights.length > 1 ? Math.max(highlights.length + OTHER_CLASSES, MAX_CLASSES_SHOWN) : listed.length;
    if (!sides) return createClassBars(names, listed.slice(0, most), selectedClass, null, highlights);
    const others = listed.filter(
      ({ id }) => highlights.some((entry) => entry.id === id) && !scene.atlas.classes.includes(id),
    );
    return el(
      "div",
      {},
      createComparisonBars(names, sides),
      others.length ? createClassBars(names, others, selectedClass, null, highlights) : null,
    );
  }

  private moveTo(x: number, y: number): void {
    const { offsetWidth, offsetHeight } = this.element;
    const { clientWidth, clientHeight } = document.documentElement;
    const left = x + GAP + offsetWidth + EDGE > clientWidth ? x - GAP - offsetWidth : x + GAP;
    const top = Math.min(Math.max(y - offsetHeight / 3, EDGE), clientHeight - offsetHeight - EDGE);
    this.element.style.transform = `translate(${Math.round(Math.max(left, EDGE))}px, ${Math.round(top)}px)`;
  }
}
