// Second pane: its state follows that of the page, except for layer, atlas and classes.

import type { CellAddress } from "../data/area";
import { find, type Manifest, sizesWithIcons } from "../data/manifest";
import { ComparisonAxis } from "../map/comparison-axis";
import type { MapView } from "../map/map-view";
import type { Scene } from "../state/scene";
import { isSameSplit, splitOf } from "../state/split-view";
import { type SplitState, type State, Store } from "../state/state";
import { el } from "../ui/dom";
import { labelCanvas, Pane, type PaneContext } from "./pane";
import { SplitHeader } from "./split-header";

export interface SecondActions {
  /** Swap both maps. */
  swap(): void;
  close(): void;
  /** Move the second map to the first pane, with this cell pinned. */
  pinInFirst(cell: CellAddress): void;
  onShown(scene: Scene): void;
}

export class SecondPane {
  readonly pane: Pane;
  private readonly element = el("section", { class: "pane second", "aria-label": "Second map" });
  private readonly axis: ComparisonAxis;
  private readonly stopSync: () => void;

  constructor(
    paneContext: PaneContext,
    private readonly first: Pane,
    split: SplitState,
    actions: SecondActions,
  ) {
    const { manifest } = paneContext;
    const store = new Store({ ...deriveState(manifest, first, split), level: null }); // nothing is loaded before `follow`
    first.mapView.viewer.element.after(this.element);
    this.pane = new Pane(paneContext, store, this.element, null);
    labelCanvas(this.pane.canvas, "Second map");
    this.element.prepend(new SplitHeader(manifest, store, actions).element);
    const { mapView, overlay, obstacles } = this.pane;
    this.axis = new ComparisonAxis(manifest, mapView, overlay, store, obstacles);
    first.mapView.lead(mapView);
    this.pane.scenes.onChange((scene) => {
      if (!this.element.isConnected) return; // closed while loading
      this.pane.show(scene);
      this.axis.show(scene);
      actions.onShown(scene);
    });
    this.pane.listen((cell) => this.pinInFirst(cell, actions));
    store.subscribe((state) => this.choose(state));
    this.stopSync = syncViews(first.mapView, this.pane.mapView);
    this.follow(manifest, split);
  }

  get focused(): boolean {
    return this.element.contains(document.activeElement);
  }

  /** Apply a change of the page's state; the grid level is that of the first map. */
  follow(manifest: Manifest, split: SplitState): void {
    this.pane.store.set(deriveState(manifest, this.first, split));
  }

  /** Pin a cell of the second map in the first pane. */
  pinInFirst(cell: number, actions: SecondActions): void {
    const level = this.pane.scenes.current?.level;
    if (level && cell >= 0)
      actions.pinInFirst({ size: level.size, row: level.row(cell), column: level.column(cell) });
  }

  close(): void {
    this.stopSync();
    this.first.mapView.lead(null);
    this.element.remove();
    this.pane.destroy();
  }

  /** Write a choice in the header to the page's state. */
  private choose(state: State): void {
    const { split } = this.first.store.state;
    const view = splitOf(state);
    if (split && !isSameSplit(split, view)) this.first.store.set({ split: view });
  }
}

function deriveState(manifest: Manifest, first: Pane, split: SplitState): State {
  const size = first.scenes.current?.level.size;
  const sizes = sizesWithIcons(find(manifest, split.layer, split.atlas).atlas);
  const level = size === undefined ? null : (sizes.filter((each) => each <= size).at(-1) ?? sizes[0] ?? null);
  return { ...first.store.state, ...split, level, pin: null, selection: null, split: null };
}

// Synchronized views: each map follows the other in every frame.

/** Move the second map to the position of the first and keep both in sync; call the result to end it. */
export function syncViews(first: MapView, second: MapView): () => void {
  let leader = first;
  let following = false;
  const syncPosition = (companion: MapView): void => {
    following = true;
    companion.setPosition(leader.position());
    following = false;
  };
  const bind = (mapView: MapView, companion: MapView): (() => void) => {
    const { viewer } = mapView;
    // every movement starts with one of these events; those of the following map are ignored
    const startLeading = (): void => {
      if (!following) leader = mapView;
    };
    const moved = (): void => {
      if (leader === mapView) syncPosition(companion);
    };
    viewer.addHandler("pan", startLeading);
    viewer.addHandler("zoom", startLeading);
    viewer.addHandler("viewport-change", moved);
    return () => {
      viewer.removeHandler("pan", startLeading);
      viewer.removeHandler("zoom", startLeading);
      viewer.removeHandler("viewport-change", moved);
    };
  };
  syncPosition(second);
  const unbindAll = [bind(first, second), bind(second, first)];
  return () => {
    for (const unbind of unbindAll) unbind();
  };
}
