// The second picture: a pane whose state follows the page's, except for what it shows.

import type { CellAddress } from "../data/area";
import { find, type Manifest } from "../data/manifest";
import { ComparisonAxis, type Furniture } from "../map/comparison-axis";
import type { Picture } from "../map/picture";
import type { Scene } from "../state/scene";
import { sameBeside, shownBy } from "../state/split-view";
import { type BesideState, type State, Store } from "../state/state";
import { el } from "../ui/dom";
import { namePicture, Pane, type Surroundings } from "./pane";
import { BesideHeading } from "./split-header";

export interface SecondActions {
  /** Both pictures take each other's place. */
  swap(): void;
  close(): void;
  /** Bring the second picture to the first place, with this cell pinned. */
  take(cell: CellAddress): void;
  shown(scene: Scene): void;
}

export class SecondPane {
  readonly pane: Pane;
  private readonly element = el("section", { class: "pane second", "aria-label": "Second picture" });
  private readonly axis: ComparisonAxis;
  private readonly part: () => void;

  constructor(
    surroundings: Surroundings,
    private readonly first: Pane,
    furniture: Furniture,
    beside: BesideState,
    actions: SecondActions,
  ) {
    const { manifest } = surroundings;
    const store = new Store({ ...derived(manifest, first, beside), level: null }); // nothing is loaded before `follow`
    first.picture.viewer.element.after(this.element);
    this.pane = new Pane(surroundings, store, this.element, null);
    namePicture(this.pane.canvas, "Second picture");
    this.element.prepend(new BesideHeading(manifest, store, actions).element);
    this.axis = new ComparisonAxis(manifest, this.pane.picture, this.pane.overlay, store, furniture);
    this.pane.stage.onChange((scene) => {
      if (!this.element.isConnected) return; // closed while this was loading
      this.pane.show(scene);
      this.axis.show(scene);
      actions.shown(scene);
    });
    this.pane.listen((cell) => this.taken(cell, actions));
    store.subscribe((state) => this.choose(state));
    this.part = moveTogether(first.picture, this.pane.picture);
    this.follow(manifest, beside);
  }

  get focused(): boolean {
    return this.element.contains(document.activeElement);
  }

  /** Take over what has changed on the page; the grid level is that of the first picture. */
  follow(manifest: Manifest, beside: BesideState): void {
    this.pane.store.set(derived(manifest, this.first, beside));
  }

  /** Hand a cell on to the first place. */
  taken(cell: number, actions: SecondActions): void {
    const level = this.pane.stage.scene?.level;
    if (level && cell >= 0)
      actions.take({ size: level.size, row: level.row(cell), column: level.column(cell) });
  }

  close(): void {
    this.part();
    this.axis.stop();
    this.element.remove();
    this.pane.end();
  }

  /** Tell the page what has been chosen in the heading. */
  private choose(state: State): void {
    const { beside } = this.first.store.state;
    const chosen = shownBy(state);
    if (beside && !sameBeside(beside, chosen)) this.first.store.set({ beside: chosen });
  }
}

function derived(manifest: Manifest, first: Pane, beside: BesideState): State {
  const size = first.stage.scene?.level.size;
  const sizes = find(manifest, beside.layer, beside.atlas).atlas.levels.map((entry) => entry.size);
  const level = size === undefined ? null : (sizes.filter((each) => each <= size).at(-1) ?? sizes[0] ?? null);
  return { ...first.store.state, ...beside, level, pin: null, selection: null, beside: null };
}

// Two pictures that move as one: whichever people move takes the other along, frame by frame.

/** Bring the second picture to where the first one is and keep both together; call the result to let them go. */
export function moveTogether(first: Picture, second: Picture): () => void {
  let leader = first;
  let following = false;
  const carry = (companion: Picture): void => {
    following = true;
    companion.stand(leader.standing());
    following = false;
  };
  const bind = (picture: Picture, companion: Picture): (() => void) => {
    const { viewer } = picture;
    // every movement begins with one of these; those of a companion that is carried along do not count
    const lead = (): void => {
      if (!following) leader = picture;
    };
    const moved = (): void => {
      if (leader === picture) carry(companion);
    };
    viewer.addHandler("pan", lead);
    viewer.addHandler("zoom", lead);
    viewer.addHandler("viewport-change", moved);
    return () => {
      viewer.removeHandler("pan", lead);
      viewer.removeHandler("zoom", lead);
      viewer.removeHandler("viewport-change", moved);
    };
  };
  carry(second);
  const bonds = [bind(first, second), bind(second, first)];
  return () => {
    for (const loosen of bonds) loosen();
  };
}
