// Several highlighted classes in the lens: colour, name, strongest value, and ways to have one alone or without it.

import { type Chosen, chosen, withoutClass } from "./chosen";
import { button, drawing, el } from "./dom";
import { signed } from "./format";
import { attribution, type Heat } from "./heat";
import type { LevelData } from "./level-data";
import type { Scene } from "./scene";
import type { Store } from "./state";

/** The attribution of the drawn cell that speaks most for a class, or most against it. */
export function strongestValue({ level, heat }: { level: LevelData; heat: Heat }, sign: 1 | -1): number {
  let strongest = 0;
  for (let cell = 0; cell < level.cells; cell++) {
    if (level.isDrawn(cell)) strongest = Math.max(strongest, sign * attribution(heat, cell));
  }
  return sign * strongest;
}

export class Chips {
  readonly element = el("ul", { class: "chips", "aria-label": "Highlighted classes", hidden: true });
  private shown = "";

  /** `left` hears that a class went, and where in the list it was. */
  constructor(
    private readonly names: readonly string[],
    private readonly store: Store,
    private readonly left: () => void,
  ) {}

  /** List the classes of the state where they are several. */
  update(): void {
    const { state } = this.store;
    const classes = chosen(state);
    this.element.hidden = classes.length < 2;
    const shown = classes.map(({ id, hue }) => `${id}.${hue}`).join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.replaceChildren(
      ...(classes.length < 2 ? [] : classes.map((entry, place) => this.chip(entry, place))),
    );
  }

  /** Tell how strong each class gets in the scene. */
  show({ level, highlights }: Scene): void {
    const { sign } = this.store.state;
    for (const { id, heat } of this.element.hidden ? [] : highlights) {
      const strongest = strongestValue({ level, heat }, sign);
      const value = this.element.querySelector(`[data-class="${id}"] .value`);
      if (value) value.textContent = strongest ? signed(strongest) : "none";
    }
  }

  private chip({ id, hue }: Chosen, place: number): HTMLElement {
    const name = this.names[id] ?? `class ${id}`;
    const only = button(
      `Show only ${name}`,
      el("span", { class: "name" }, name),
      () => this.only(id),
      "chip-name",
    );
    const remove = (): void => {
      this.store.set(withoutClass(this.store.state, id));
      const rest = this.element.querySelectorAll<HTMLElement>(".quiet");
      if (rest.length) rest[Math.min(place, rest.length - 1)]?.focus();
      else this.left();
    };
    return el(
      "li",
      { "data-hue": hue + 1, "data-class": id },
      el("span", { class: "dot", "aria-hidden": "true" }),
      only,
      el("span", { class: "value", title: "its strongest cell, logit" }),
      button(`Remove ${name}`, drawing("M6 6 14 14", "M14 6 6 14"), remove),
    );
  }

  private only(classId: number): void {
    this.store.set({ classId });
    this.left();
  }
}
