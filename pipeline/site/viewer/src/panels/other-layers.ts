// Changing the layer while a cell is pinned: the pin moves on to where most of the cell's samples went.

import type { CellAddress } from "../data/area";
import { percent } from "../data/format";
import { loadLevel } from "../data/level";
import { find, type Manifest } from "../data/manifest";
import { loadRelatives, type Relatives } from "../data/related-cells";
import type { Scene } from "../state/scene";
import type { State, Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { section } from "../ui/controls";
import { drawing, el } from "../ui/dom";
import { addressOf, cellButton, cellName, type Shown } from "../ui/icons";

interface Step {
  readonly from: Shown;
  readonly to: Relatives;
}

export class Trail {
  private latest: Step | null = null;
  private asked = 0; // counts choices of a layer: only the last one is answered

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Show another layer; what is in sight stays, and a pin follows its samples. */
  go(layer: string): void {
    const { state } = this.store;
    const asked = ++this.asked;
    if (layer === state.layer) return;
    if (!state.pin) this.store.set({ layer });
    else
      this.follow(state, state.pin, layer, asked).catch((error) => {
        if (asked !== this.asked) return;
        this.store.set({ layer, pin: null });
        this.report(error);
      });
  }

  /** What the panel of a cell says of the way there; null where nobody came along it. */
  told(scene: Scene, cell: number, follow: Follow): HTMLElement | null {
    const step = this.latest;
    if (!step || scene.level.name !== step.to.level.name) return null;
    const rank = step.to.cells.findIndex((found) => found.cell === cell);
    if (rank < 0) return null;
    const names = this.manifest.network.classes;
    const cells = relativeCells(names, step.to, follow);
    cells.forEach((made, index) => {
      if (index === rank) made.setAttribute("aria-current", "true");
    });
    const way = el("div", { class: "way" }, origin(names, step, follow), arrow(), ...cells);
    return section("Where its samples went", way);
  }

  private async follow(before: State, pin: CellAddress, layer: string, asked: number): Promise<void> {
    const { layer: own, atlas } = find(this.manifest, before.layer, before.atlas);
    const level = await loadLevel(own.name, atlas.name, pin.size);
    const cell = level.at(pin.row, pin.column);
    const [to] = cell < 0 ? [] : await loadRelatives(this.manifest, { atlas, level }, cell, layer);
    const { state } = this.store;
    if (asked !== this.asked) return;
    if (state.layer !== before.layer || state.atlas !== before.atlas || state.pin !== pin) return;
    const best = to?.cells[0];
    if (!to || !best) {
      this.store.set({ layer, pin: null });
      announce(`Layer ${layer}. No drawn cell there holds samples of the pinned one.`);
      return;
    }
    this.latest = { from: { layer: own.name, atlas, level, cell }, to };
    this.store.set({ layer, pin: addressOf({ level: to.level, cell: best.cell }) });
    announce(`Layer ${layer}. ${percent(best.share)} of the samples lie in the cell that is pinned now.`);
  }
}

function origin(names: readonly string[], { from }: Step, follow: Follow): HTMLElement {
  const label = `Back to ${cellName(names, from)}`;
  return cellButton(from, from.layer, label, () => follow(from.layer, addressOf(from)));
}

function arrow(): SVGSVGElement {
  return drawing("M3 10h13", "m11.5 5.5 4.5 4.5-4.5 4.5");
}

// The same samples at other layers: a row of icons for each.

export type Follow = (layer: string, cell: CellAddress) => void;

/** For each other layer its cells with most of the samples; choosing one goes there. */
export function relativeRows(
  names: readonly string[],
  relatives: readonly Relatives[],
  follow: Follow,
): HTMLElement {
  const list = el("ul", { class: "relatives" });
  for (const other of relatives) {
    const cells = relativeCells(names, other, follow);
    if (!cells.length) cells.push(el("p", { class: "nothing" }, "No drawn cell holds them."));
    const name = el("span", { class: "layer", title: other.layer.name }, other.layer.name);
    list.append(el("li", {}, name, el("div", { class: "cells" }, ...cells)));
  }
  return list;
}

/** The cells of one other layer with most of the samples. */
export function relativeCells(names: readonly string[], other: Relatives, follow: Follow): HTMLElement[] {
  return other.cells.map(({ cell, share }) => {
    const shown = { layer: other.layer.name, atlas: other.atlas, level: other.level, cell };
    const label = `${percent(share)} of the samples lie in ${cellName(names, shown)}`;
    return cellButton(shown, percent(share), label, () => follow(shown.layer, addressOf(shown)));
  });
}
