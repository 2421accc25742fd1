// Toolbar of the highlighted classes: names, sign, intensity, and a button that clears the selection.

import { attribution, type Heatmap } from "../data/attribution";
import { decimal, signed } from "../data/format";
import type { LevelData } from "../data/level";
import { atlasesOf, atlasName, type Manifest } from "../data/manifest";
import { openAtlas } from "../map/navigation";
import {
  type HighlightedClass,
  highlightedClasses,
  MAX_CLASSES,
  removeClass,
} from "../state/class-selection";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";
import { createButton, createCloseButton, createSvgIcon, el } from "../ui/dom";
import { DensityControls } from "./density-controls";

export interface ClassToolbarActions {
  /** Open the dialog of a class. */
  showClass(classId: number): void;
  /** Search for a class to add. */
  addClass(): void;
}

export class ClassToolbar {
  readonly element = el("div", {
    class: "class-toolbar",
    role: "group",
    "aria-label": "Highlighted class",
    hidden: true,
  });
  private readonly name = el("strong", {});
  private readonly strongest = el("span", { class: "secondary" });
  private readonly links = el("div", { class: "links" });
  private readonly chips: ClassChips;
  private readonly singleClassNote = el(
    "p",
    { class: "secondary", hidden: true },
    "Densities are available for a single class only.",
  );
  private linkKey = "";
  private readonly sign;
  private readonly out: HTMLButtonElement;
  private readonly densityControls: DensityControls;
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
    private readonly actions: ClassToolbarActions,
  ) {
    this.sign = createRadioGroup("Sign of the attribution", (value) =>
      store.set({ sign: value === "negative" ? -1 : 1 }),
    );
    this.sign.setOptions([
      { value: "positive", label: "positive" },
      { value: "negative", label: "negative" },
    ]);
    this.slider.addEventListener("input", () => store.set({ intensity: 2 ** Number(this.slider.value) }));
    const clear = (): void => store.set({ classId: null, show: "attribution", sign: 1, intensity: 1 });
    this.out = createCloseButton("Show all classes", clear);
    const text = el("div", { class: "text-lines" }, this.name, this.strongest);
    const brightness = el(
      "label",
      { class: "intensity" },
      el("span", { class: "secondary" }, "intensity"),
      this.slider,
    );
    this.densityControls = new DensityControls(manifest, store);
    const focus = (): void => this.links.querySelector("button")?.focus();
    this.chips = new ClassChips(manifest.network.classes, store, focus);
    const { densityControls, chips, sign, singleClassNote, links } = this;
    this.element.append(
      text,
      chips.element,
      densityControls.element,
      sign.element,
      brightness,
      singleClassNote,
      links,
      this.out,
    );
    store.subscribe(() => this.update());
    this.update();
  }

  /** Show the largest attributions at the shown level. */
  show(scene: Scene): void {
    const { heatmap, level, density, atlas } = scene;
    this.showName();
    this.densityControls.show(scene);
    this.chips.show(scene);
    const hasDensities =
      atlas.label_levels.length > 0 || (this.manifest.second_image_set && atlas.kind === "all");
    this.singleClassNote.hidden = this.store.state.also.length === 0 || !hasDensities;
    this.element.toggleAttribute("data-density", density !== null);
    this.strongest.hidden = density !== null;
    const { sign } = this.store.state;
    const strongest = heatmap && signed(findStrongestValue({ level, heatmap }, sign));
    const count = scene.highlights.length > 1;
    const text =
      heatmap &&
      (count
        ? `maximum of the layer ${decimal(heatmap.scale)}`
        : `largest cell ${strongest}; maximum of the layer ${decimal(heatmap.scale)}`);
    this.strongest.textContent = text ?? "";
  }

  /** Name what the map highlights. */
  private showName(): void {
    const { classId, also } = this.store.state;
    const { second } = this;
    this.element.hidden = classId === null && !second;
    const name = classId === null ? "" : (this.manifest.network.classes[classId] ?? "");
    this.name.textContent = also.length ? `${also.length + 1} classes` : (second?.title ?? name);
  }

  /** The second image set, while its density is chosen. */
  private get second(): Manifest["second_image_set"] {
    return this.store.state.show === "second" ? this.manifest.second_image_set : null;
  }

  private update(): void {
    const { classId, also, sign, intensity } = this.store.state;
    const { second } = this;
    this.densityControls.element.hidden = also.length > 0;
    const shown = also.length ? "Highlighted classes" : second ? "Density" : "Highlighted class";
    this.element.setAttribute("aria-label", shown);
    this.out.ariaLabel = this.out.title = second ? "Hide the density" : "Show all classes";
    this.chips.update();
    this.link(second ? null : classId);
    this.sign.choose(sign < 0 ? "negative" : "positive");
    this.slider.value = String(Math.log2(intensity));
  }

  /** Update the links: add a class, or open other views of a single class. */
  private link(classId: number | null): void {
    const { atlas, also, layer } = this.store.state;
    const linkKey = [classId, layer, atlas, ...also].join();
    if (linkKey === this.linkKey) return; // a new link would lose the focus
    this.linkKey = linkKey;
    const count = highlightedClasses(this.store.state).length;
    const more = count < MAX_CLASSES ? [createLink("Add a class", this.actions.addClass)] : [];
    this.links.replaceChildren(
      ...(classId === null ? [] : count > 1 ? more : [...more, ...this.createLinks(classId)]),
    );
  }

  /** Links to other views of the class. */
  private createLinks(classId: number): HTMLElement[] {
    const { manifest, store } = this;
    const atlases = atlasesOf(manifest, classId).filter(({ name }) => name !== store.state.atlas);
    const noSelection = { classId: null, sign: 1, intensity: 1 } as const;
    return [
      createLink("Compare layers", () => this.actions.showClass(classId)),
      ...atlases.map((atlas) => {
        const name = atlasName(manifest, atlas);
        const text = atlas.kind === "class" ? `Atlas of ${name}` : name;
        return createLink(text, () => openAtlas(manifest, store, atlas.name, store.state.layer, noSelection));
      }),
    ];
  }
}

function createLink(text: string, action: () => void): HTMLElement {
  const press = el("button", { type: "button", class: "link" }, text);
  press.addEventListener("click", action);
  return press;
}

// List of several highlighted classes: color, name, largest value, and buttons to show only one or to remove it.

/** The largest attribution to a class among cells with an icon, or the smallest for `sign` -1. */
export function findStrongestValue(
  { level, heatmap }: { level: LevelData; heatmap: Heatmap },
  sign: 1 | -1,
): number {
  let strongest = 0;
  for (let cell = 0; cell < level.cells; cell++) {
    if (level.hasIcon(cell)) strongest = Math.max(strongest, sign * attribution(heatmap, cell));
  }
  return sign * strongest;
}

export class ClassChips {
  readonly element = el("ul", { class: "class-chips", "aria-label": "Highlighted classes", hidden: true });
  private shown = "";

  /** `onRemove` is called after a class was removed. */
  constructor(
    private readonly names: readonly string[],
    private readonly store: Store,
    private readonly onRemove: () => void,
  ) {}

  /** Update the list if several classes are highlighted. */
  update(): void {
    const { state } = this.store;
    const classes = highlightedClasses(state);
    this.element.hidden = classes.length < 2;
    const shown = classes.map(({ id, hue }) => `${id}.${hue}`).join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.replaceChildren(
      ...(classes.length < 2 ? [] : classes.map((entry, index) => this.createChip(entry, index))),
    );
  }

  /** Show the largest attribution of each class in the scene. */
  show({ level, highlights }: Scene): void {
    const { sign } = this.store.state;
    for (const { id, heatmap } of this.element.hidden ? [] : highlights) {
      const strongest = findStrongestValue({ level, heatmap }, sign);
      const value = this.element.querySelector(`[data-class="${id}"] .value`);
      if (value) value.textContent = strongest ? signed(strongest) : "none";
    }
  }

  private createChip({ id, hue }: HighlightedClass, index: number): HTMLElement {
    const name = this.names[id] ?? `class ${id}`;
    const only = createButton(
      `Show only ${name}`,
      el("span", { class: "name" }, name),
      () => this.showOnly(id),
      "chip-name",
    );
    const remove = (): void => {
      this.store.set(removeClass(this.store.state, id));
      const rest = this.element.querySelectorAll<HTMLElement>(".icon-button");
      if (rest.length) rest[Math.min(index, rest.length - 1)]?.focus();
      else this.onRemove();
    };
    return el(
      "li",
      { "data-hue": hue + 1, "data-class": id },
      el("span", { class: "dot", "aria-hidden": "true" }),
      only,
      el("span", { class: "value", title: "largest attribution of a cell, logits" }),
      createButton(`Remove ${name}`, createSvgIcon("M6 6 14 14", "M14 6 6 14"), remove),
    );
  }

  private showOnly(classId: number): void {
    this.store.set({ classId });
    this.onRemove();
  }
}
