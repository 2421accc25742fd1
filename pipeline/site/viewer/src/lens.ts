// The bar that appears while a class is highlighted: its name, its sign, the brightness, and a way out.

import { atlasesOf, atlasName } from "./atlas-names";
import { choice } from "./choice";
import { DensityLens } from "./density-lens";
import { button, drawing, el } from "./dom";
import { decimal, signed } from "./format";
import { attribution } from "./heat";
import type { Manifest } from "./manifest";
import type { Scene } from "./scene";
import type { Store } from "./state";
import { openAtlas } from "./travel";

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
    private readonly survey: (classId: number) => void,
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
    this.element.append(words, this.densities.element, this.sign.element, brightness, this.links, out);
    store.subscribe(() => this.update());
    this.update();
  }

  /** Say how strong the class gets at the shown level. */
  show(scene: Scene): void {
    const { heat, level, density } = scene;
    this.densities.show(scene);
    this.element.toggleAttribute("data-density", density !== null);
    this.strongest.hidden = density !== null;
    const { sign } = this.store.state;
    let strongest = 0;
    for (let cell = 0; heat && cell < level.cells; cell++) {
      if (level.isDrawn(cell)) strongest = Math.max(strongest, sign * attribution(heat, cell));
    }
    const words =
      heat && `strongest cell ${signed(sign * strongest)}; the layer's largest value ${decimal(heat.scale)}`;
    this.strongest.textContent = words ?? "";
  }

  private update(): void {
    const { classId, sign, intensity, show } = this.store.state;
    const second = show === "second" ? this.manifest.second : null;
    this.element.hidden = classId === null && !second;
    const name = classId === null ? "" : (this.manifest.network.classes[classId] ?? "");
    this.name.textContent = second?.title ?? name;
    this.links.replaceChildren(...(classId === null || second ? [] : this.ways(classId)));
    this.sign.choose(sign < 0 ? "against" : "for");
    this.slider.value = String(Math.log2(intensity));
  }

  /** Where else the class is shown. */
  private ways(classId: number): HTMLElement[] {
    const { manifest, store } = this;
    const link = (text: string, action: () => void): HTMLElement => {
      const press = el("button", { type: "button", class: "link" }, text);
      press.addEventListener("click", action);
      return press;
    };
    const atlases = atlasesOf(manifest, classId).filter(({ name }) => name !== store.state.atlas);
    const whole = { classId: null, sign: 1, intensity: 1 } as const;
    return [
      link("Side by side at every layer", () => this.survey(classId)),
      ...atlases.map((atlas) => {
        const name = atlasName(manifest, atlas);
        const text = atlas.kind === "class" ? `Atlas of ${name}` : name;
        return link(text, () => openAtlas(manifest, store, atlas.name, store.state.layer, whole));
      }),
    ];
  }
}
