// Controls that switch between attribution and density, and the legend of a density.

import { type Density, type Extreme, formatPoints, type Show } from "../data/density";
import { count, share } from "../data/format";
import type { Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";
import { el } from "../ui/dom";

export class DensityControls {
  readonly element = el("div", { class: "density-controls" });
  private readonly radioGroup;
  private readonly legend = el("div", { class: "legend" });
  private offeredOptions = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    this.radioGroup = createRadioGroup("What the cells show", (show) => store.set({ show: show as Show }));
    this.radioGroup.element.classList.add("stacked");
    this.element.append(this.radioGroup.element, this.legend);
  }

  /** Update the available options and the legend. */
  show({ atlas, density, level }: Scene): void {
    const second = this.manifest.second_image_set;
    const { classId, also } = this.store.state;
    const options = [{ value: "attribution", label: "attribution" }];
    if (atlas.label_levels.length) options.push({ value: "density", label: "density of its samples" });
    if (second && atlas.kind === "all") options.push({ value: "second", label: second.title });
    const offeredOptions = options.map(({ value }) => value).join();
    if (offeredOptions !== this.offeredOptions) this.radioGroup.setOptions(options);
    this.offeredOptions = offeredOptions;
    const { show } = this.store.state;
    this.radioGroup.choose(density || show === "samples" ? show : "attribution");
    this.radioGroup.element.hidden = options.length < 2 || classId === null || also.length > 0;
    this.legend.hidden = !density;
    if (density) this.legend.replaceChildren(...legend(density, level.size));
  }
}

function legend(density: Density, size: number): HTMLElement[] {
  if (!density.samples) return [el("p", { class: "empty" }, "No image has this label.")];
  const lines = [
    el("div", { class: "scale", "aria-hidden": "true" }),
    el(
      "dl",
      {},
      createExtreme("under", "rarest", density, density.most.under),
      createExtreme("over", "densest", density, density.most.over),
    ),
    el("p", { class: "secondary" }, describeCounts(density, size)),
  ];
  return lines;
}

function createExtreme(className: string, name: string, { of }: Density, cell: Extreme): HTMLElement {
  const whose = of === "class" ? "the class's samples" : "the second set";
  const text = `${share(cell.own)} of ${whose}, ${share(cell.all)} of all`;
  return el(
    "div",
    { class: className },
    el("dt", {}, name),
    el("dd", {}, text),
    el("dd", { class: "points" }, `${formatPoints(cell)} points`),
  );
}

function describeCounts(density: Density, size: number): string {
  const whose = density.of === "class" ? "of the class" : "of the second set";
  const grid = density.size < size ? `, in the cells of ${density.size} × ${density.size}` : "";
  return `Shares of ${count(density.samples, "sample")} ${whose}, and of all${grid}.`;
}
