// The bar that appears while classes are highlighted: their names, the sign, the brightness, and a way out.

import { attribution, type Heat } from "../data/attribution";
import { decimal, signed } from "../data/format";
import type { LevelData } from "../data/level";
import { atlasesOf, atlasName, type Manifest } from "../data/manifest";
import { openAtlas } from "../map/navigation";
import { type Chosen, chosen, MOST_CLASSES, withoutClass } from "../state/class-selection";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { choice } from "../ui/controls";
import { button, drawing, el } from "../ui/dom";
import { DensityLens } from "./density-controls";

export interface LensActions {
  /** Show a class at every layer. */
  survey(classId: number): void;
  /** Look for a class to highlight beside the others. */
  more(): void;
}

export class Lens {
  readonly element = el("div", {
    class: "lens",
    role: "group",
    "aria-label": "Highlighted class",
    hidden: true,
  });
  private readonly name = el("strong", {});
  private readonly strongest = el("span", { class: "fine" });
  private readonly links = el("div", { class: "links" });
  private readonly chips: Chips;
  private readonly alone = el("p", { class: "fine", hidden: true }, "Where images fall: one class only.");
  private linked = "";
  private readonly sign;
  private readonly densities: DensityLens;
  private readonly slider = el("input", {
    type: "range",
    min: -2,
    max: 2,
    step: 0.1,
    "aria-label": "Intensity",
  });

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly actions: LensActions,
  ) {
    this.sign = choice("Direction of the attribution", (value) =>
      store.set({ sign: value === "against" ? -1 : 1 }),
    );
    this.sign.offer([
      { value: "for", face: "for" },
      { value: "against", face: "against" },
    ]);
    this.slider.addEventListener("input", () => store.set({ intensity: 2 ** Number(this.slider.value) }));
    const clear = (): void => store.set({ classId: null, show: "attribution", sign: 1, intensity: 1 });
    const out = button("Show all classes", drawing("M5 5 15 15", "M15 5 5 15"), clear);
    const words = el("div", { class: "words" }, this.name, this.strongest);
    const brightness = el(
      "label",
      { class: "intensity" },
      el("span", { class: "fine" }, "intensity"),
      this.slider,
    );
    this.densities = new DensityLens(manifest, store);
    const focus = (): void => this.links.querySelector("button")?.focus();
    this.chips = new Chips(manifest.network.classes, store, focus);
    const { densities, chips, sign, alone, links } = this;
    this.element.append(words, chips.element, densities.element, sign.element, brightness, alone, links, out);
    store.subscribe(() => this.update());
    this.update();
  }

  /** Say how strong the classes get at the shown level. */
  show(scene: Scene): void {
    const { heat, level, density, atlas } = scene;
    this.densities.show(scene);
    this.chips.show(scene);
    const offersDensities = atlas.label_levels.length > 0 || (this.manifest.second && atlas.kind === "all");
    this.alone.hidden = this.store.state.also.length === 0 || !offersDensities;
    this.element.toggleAttribute("data-density", density !== null);
    this.strongest.hidden = density !== null;
    const { sign } = this.store.state;
    const strongest = heat && signed(strongestValue({ level, heat }, sign));
    const several = scene.highlights.length > 1;
    const words =
      heat &&
      (several
        ? `the layer's largest value ${decimal(heat.scale)}`
        : `strongest cell ${strongest}; the layer's largest value ${decimal(heat.scale)}`);
    this.strongest.textContent = words ?? "";
  }

  private update(): void {
    const { classId, also, sign, intensity, show } = this.store.state;
    const second = show === "second" ? this.manifest.second : null;
    this.element.hidden = classId === null && !second;
    const name = classId === null ? "" : (this.manifest.network.classes[classId] ?? "");
    this.name.textContent = also.length ? `${also.length + 1} classes` : (second?.title ?? name);
    this.densities.element.hidden = also.length > 0;
    this.element.setAttribute("aria-label", also.length ? "Highlighted classes" : "Highlighted class");
    this.chips.update();
    this.link(second ? null : classId);
    this.sign.choose(sign < 0 ? "against" : "for");
    this.slider.value = String(Math.log2(intensity));
  }

  /** Offer more classes, and where else a single one is shown. */
  private link(classId: number | null): void {
    const { atlas, also, layer } = this.store.state;
    const linked = [classId, layer, atlas, ...also].join();
    if (linked === this.linked) return; // a new link would lose the focus
    this.linked = linked;
    const several = chosen(this.store.state).length;
    const more = several < MOST_CLASSES ? [link("Add a class", this.actions.more)] : [];
    this.links.replaceChildren(
      ...(classId === null ? [] : several > 1 ? more : [...more, ...this.ways(classId)]),
    );
  }

  /** Where else the class is shown. */
  private ways(classId: number): HTMLElement[] {
    const { manifest, store } = this;
    const atlases = atlasesOf(manifest, classId).filter(({ name }) => name !== store.state.atlas);
    const whole = { classId: null, sign: 1, intensity: 1 } as const;
    return [
      link("Side by side at every layer", () => this.actions.survey(classId)),
      ...atlases.map((atlas) => {
        const name = atlasName(manifest, atlas);
        const text = atlas.kind === "class" ? `Atlas of ${name}` : name;
        return link(text, () => openAtlas(manifest, store, atlas.name, store.state.layer, whole));
      }),
    ];
  }
}

function link(text: string, action: () => void): HTMLElement {
  const press = el("button", { type: "button", class: "link" }, text);
  press.addEventListener("click", action);
  return press;
}

// Several highlighted classes in the lens: colour, name, strongest value, and ways to have one alone or without it.

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
