// The wall label: what hangs here, from what it was made, and what to keep in mind.

import { el } from "./dom";
import { count, percent } from "./format";
import type { LayerEntry, Manifest } from "./manifest";
import type { Scene } from "./scene";

const MOSTLY = 0.5;
const WEAK = 0.1;

export class WallLabel {
  readonly element = el("div", { class: "wall-label" });

  constructor(private readonly manifest: Manifest) {}

  show({ layer, atlas, level }: Scene): void {
    const entry = atlas.levels.find(({ size }) => size === level.size);
    const made = [
      count(entry?.samples ?? 0, "sample"),
      `from ${count(this.manifest.images, "image")}`,
      `${count(entry?.drawn ?? 0, "icon")} on ${level.size} × ${level.size}`,
    ];
    const children = [
      el("h2", {}, layer.name),
      el("p", {}, `${this.manifest.network.name}, ${count(layer.channels, "channel")}`),
      el("p", { class: "fine" }, made.join(" · ")),
      ...this.notes(layer).map((note) => el("p", { class: "fine note" }, note)),
    ];
    this.element.replaceChildren(...children);
  }

  private notes(layer: LayerEntry): string[] {
    const notes = [];
    const strengths = this.manifest.layers.flatMap(({ atlases }) =>
      atlases.map(({ heat }) => heat?.strength ?? 0),
    );
    const own = Math.max(...layer.atlases.map(({ heat }) => heat?.strength ?? 0));
    if (layer.atlases.every(({ heat }) => heat === null)) notes.push("No class attributions were recorded.");
    else if (own < WEAK * Math.max(...strengths)) {
      notes.push("Attributions are weak this early in the network; read its classes as hints.");
    }
    if (layer.zero_share !== null && layer.zero_share >= MOSTLY) {
      notes.push(`${percent(layer.zero_share)} of this layer's attributions are exactly zero.`);
    }
    return notes;
  }
}
