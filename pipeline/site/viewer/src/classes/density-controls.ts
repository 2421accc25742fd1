// The part of the lens that chooses between attribution and density, and the legend of a density.

import { type Density, type Extreme, points, type Show } from "../data/density";
import { count, share } from "../data/format";
import type { Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { choice } from "../ui/controls";
import { el } from "../ui/dom";

export class DensityLens {
  readonly element = el("div", { class: "densities" });
  private readonly views;
  private readonly legend = el("div", { class: "legend" });
  private offered = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    this.views = choice("What the cells show", (show) => store.set({ show: show as Show }));
    this.views.element.classList.add("stacked");
    this.element.append(this.views.element, this.legend);
  }

  /** Offer what this atlas can show, and explain what it shows. */
  show({ atlas, density, level }: Scene): void {
    const { second } = this.manifest;
    const { classId, also } = this.store.state;
    const options = [{ value: "attribution", face: "what speaks for it" }];
    if (atlas.label_levels.length) options.push({ value: "density", face: "where its images fall" });
    if (second && atlas.kind === "all") options.push({ value: "second", face: second.title });
    const offered = options.map(({ value }) => value).join();
    if (offered !== this.offered) this.views.offer(options);
    this.offered = offered;
    this.views.choose(density ? this.store.state.show : "attribution");
    this.views.element.hidden = options.length < 2 || classId === null || also.length > 0;
    this.legend.hidden = !density;
    if (density) this.legend.replaceChildren(...legend(density, level.size));
  }
}

function legend(density: Density, size: number): HTMLElement[] {
  if (!density.samples) return [el("p", { class: "nothing" }, "No image bears this label.")];
  const lines = [
    el("div", { class: "scale", "aria-hidden": "true" }),
    el("dl", {}, extreme("under", "fewest", density.most.under), extreme("over", "most", density.most.over)),
    el("p", { class: "fine" }, counted(density, size)),
  ];
  return lines;
}

function extreme(className: string, name: string, cell: Extreme): HTMLElement {
  const told = `${share(cell.own)}, all ${share(cell.all)}`;
  return el(
    "div",
    { class: className },
    el("dt", {}, name),
    el("dd", {}, told),
    el("dd", { class: "points" }, points(cell)),
  );
}

function counted(density: Density, size: number): string {
  const whose = density.of === "class" ? "of its images" : "of the second set";
  const grid = density.size < size ? `, in the cells of ${density.size} × ${density.size}` : "";
  return `Shares of ${count(density.samples, "sample")} ${whose}, and of all${grid}.`;
}
