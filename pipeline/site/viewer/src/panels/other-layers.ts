// Cells of other layers that share the pinned cell's samples: when the layer changes, the pin moves to the cell with
// most of them.

import type { CellAddress } from "../data/area";
import { percent } from "../data/format";
import { type IconStyle, inStyle } from "../data/icon-styles";
import { loadLevel } from "../data/level";
import { find, type Manifest } from "../data/manifest";
import { type LayerCells, loadLayerCells } from "../data/related-cells";
import type { Scene } from "../state/scene";
import type { State, Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { createSection } from "../ui/controls";
import { createSvgIcon, el } from "../ui/dom";
import { addressOf, type CellView, cellName, createCellButton } from "../ui/icons";

interface Step {
  readonly from: CellView;
  readonly to: LayerCells;
}

export class PinFollower {
  private lastStep: Step | null = null;
  private requestId = 0; // number of layer changes: only the last one is applied

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly reportError: (error: unknown) => void,
  ) {}

  /** Show another layer; the view stays, and the pin follows its samples. */
  go(layer: string): void {
    const { state } = this.store;
    const requestId = ++this.requestId;
    if (layer === state.layer) return;
    if (!state.pin) this.store.set({ layer });
    else
      this.movePin(state, state.pin, layer, requestId).catch((error) => {
        if (requestId !== this.requestId) return;
        this.store.set({ layer, pin: null });
        this.reportError(error);
      });
  }

  /** Panel section of the last move of the pin; null if this cell was not reached by it. */
  createSection(scene: Scene, cell: number, follow: FollowCell): HTMLElement | null {
    const step = this.lastStep && stepInStyle(this.lastStep, scene.atlas.style);
    if (!step || scene.level.name !== step.to.level.name) return null;
    const rank = step.to.cells.findIndex((found) => found.cell === cell);
    if (rank < 0) return null;
    const names = this.manifest.network.classes;
    const cells = createLayerCellButtons(names, step.to, follow);
    cells.forEach((button, index) => {
      if (index === rank) button.setAttribute("aria-current", "true");
    });
    const way = el(
      "div",
      { class: "route" },
      createOriginButton(names, step, follow),
      createArrow(),
      ...cells,
    );
    return createSection("Same samples at the new layer", way);
  }

  private async movePin(before: State, pin: CellAddress, layer: string, requestId: number): Promise<void> {
    const { layer: own, atlas } = find(this.manifest, before.layer, before.atlas, before.style);
    const level = await loadLevel(own.name, atlas.name, pin.size);
    const cell = level.at(pin.row, pin.column);
    const [to] = cell < 0 ? [] : await loadLayerCells(this.manifest, { atlas, level }, cell, layer);
    const { state } = this.store;
    if (requestId !== this.requestId) return;
    if (state.layer !== before.layer || state.atlas !== before.atlas || state.pin !== pin) return;
    const best = to?.cells[0];
    if (!to || !best) {
      this.store.set({ layer, pin: null });
      announce(`Layer ${layer}. No cell with an icon contains samples of the pinned cell.`);
      return;
    }
    this.lastStep = { from: { layer: own.name, atlas, level, cell }, to };
    this.store.set({ layer, pin: addressOf({ level: to.level, cell: best.cell }) });
    announce(`Layer ${layer}. ${percent(best.share)} of the samples lie in the newly pinned cell.`);
  }
}

/** The step with its icons in a style: it may have been made in another one. */
function stepInStyle({ from, to }: Step, style: IconStyle | undefined): Step {
  return {
    from: { ...from, atlas: inStyle(from.atlas, style) },
    to: { ...to, atlas: inStyle(to.atlas, style) },
  };
}

function createOriginButton(names: readonly string[], { from }: Step, follow: FollowCell): HTMLElement {
  const label = `Back to ${cellName(names, from)}`;
  return createCellButton(from, from.layer, label, () => follow(from.layer, addressOf(from)));
}

function createArrow(): SVGSVGElement {
  return createSvgIcon("M3 10h13", "m11.5 5.5 4.5 4.5-4.5 4.5");
}

// Row of icons per layer.

export type FollowCell = (layer: string, cell: CellAddress) => void;

/** For each other layer the cells with most of the samples, as links. */
export function createLayerRows(
  names: readonly string[],
  layerCells: readonly LayerCells[],
  follow: FollowCell,
): HTMLElement {
  const list = el("ul", { class: "other-layers" });
  for (const other of layerCells) {
    const cells = createLayerCellButtons(names, other, follow);
    if (!cells.length) cells.push(el("p", { class: "empty" }, "No cell with an icon contains them."));
    const name = el("span", { class: "layer", title: other.layer.name }, other.layer.name);
    list.append(el("li", {}, name, el("div", { class: "cells" }, ...cells)));
  }
  return list;
}

/** Cells of one other layer with most of the samples. */
export function createLayerCellButtons(
  names: readonly string[],
  other: LayerCells,
  follow: FollowCell,
): HTMLElement[] {
  return other.cells.map(({ cell, share }) => {
    const view = { layer: other.layer.name, atlas: other.atlas, level: other.level, cell };
    const label = `${percent(share)} of the samples lie in ${cellName(names, view)}`;
    return createCellButton(view, percent(share), label, () => follow(view.layer, addressOf(view)));
  });
}
