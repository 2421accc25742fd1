// Side by side: a second picture that moves with the first, and in each of them a mark where the other's samples lie.

import type { CellAddress } from "../data/area";
import { type Kin, kinOf } from "../data/related-cells";
import type { Furniture } from "../map/comparison-axis";
import type { Scene } from "../state/scene";
import { besideAtFirst, changedPlaces } from "../state/split-view";
import type { State } from "../state/state";
import { announce } from "../ui/accessibility";
import { button, drawing } from "../ui/dom";
import type { Cursor } from "./cursor";
import type { Pane, Surroundings } from "./pane";
import { SecondPane } from "./second-pane";

const root = document.documentElement;

export class Beside {
  readonly button = button("A second picture", drawing("M3 4.5h6v11H3Z", "M11 4.5h6v11h-6Z"), () =>
    this.toggle(),
  );
  private second: SecondPane | null = null;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly first: Pane,
    private readonly furniture: Furniture,
    /** Called before a cell of the second picture is pinned in the first place. */
    private readonly awaitPin: (cell: CellAddress) => void,
  ) {
    const { store, stage, overlay } = first;
    store.subscribe((state, before) => this.follow(state, before));
    stage.onChange(() => {
      this.follow(store.state, store.state);
      this.markKin();
    });
    overlay.onMark(() => this.markKin());
    this.button.setAttribute("aria-pressed", "false");
  }

  /** Open what a link asks for. */
  start(): void {
    const { store } = this.first;
    if (store.state.beside) this.follow(store.state, { ...store.state, beside: null });
  }

  toggle(): void {
    const { store } = this.first;
    const { beside } = store.state;
    store.set({ beside: beside ? null : besideAtFirst(this.surroundings.manifest, store.state) });
  }

  close(): void {
    this.first.store.set({ beside: null });
  }

  /** Take back the second picture's cursor, or else close that picture; false if there is none. */
  leave(): boolean {
    const { second } = this;
    if (!second) return false;
    if (second.pane.cursor.cell >= 0) second.pane.cursor.leave();
    else this.close();
    return true;
  }

  /** The cursor of the second picture while that has the focus. */
  get cursor(): Cursor | null {
    return this.second?.focused ? this.second.pane.cursor : null;
  }

  /** Pin the cell under the second picture's cursor; false where that has none. */
  pin(): boolean {
    const cell = this.cursor?.cell ?? -1;
    if (cell >= 0) this.second?.taken(cell, this);
    return cell >= 0;
  }

  /** Draw anew, after another colour scheme. */
  rebuild(): void {
    this.second?.pane.overlay.rebuild();
  }

  swap(): void {
    const { store } = this.first;
    store.set(changedPlaces(this.surroundings.manifest, store.state));
  }

  take(pin: CellAddress): void {
    const { store } = this.first;
    this.awaitPin(pin);
    store.set({ ...changedPlaces(this.surroundings.manifest, store.state), pin });
  }

  shown({ level, heat }: Scene): void {
    root.dataset.beside = `${level.name}/${heat?.classId ?? ""}`;
    this.surroundings.card.hide();
    this.markKin();
  }

  private follow(state: State, before: State): void {
    const { beside } = state;
    if (!beside) this.end();
    else if (this.second) this.second.follow(this.surroundings.manifest, beside);
    else this.begin(state);
    if (state.pin !== before.pin) this.markKin();
  }

  private begin({ beside }: State): void {
    if (!beside) return;
    root.dataset.beside = "";
    this.button.setAttribute("aria-pressed", "true");
    const { first, surroundings, furniture } = this;
    first.picture.keepThroughResize();
    this.second = new SecondPane(surroundings, first, furniture, beside, this);
    const { overlay, sight } = this.second.pane;
    overlay.onMark(() => this.markKin());
    if (globalThis.atlas) globalThis.atlas.beside = (row, column) => sight.place(row, column);
    announce(`Layer ${beside.layer} side by side with layer ${first.store.state.layer}`);
  }

  private end(): void {
    const { second, first } = this;
    if (!second) return;
    this.second = null;
    const focused = second.focused;
    delete root.dataset.beside;
    delete globalThis.atlas?.beside;
    this.button.setAttribute("aria-pressed", "false");
    first.picture.keepThroughResize();
    second.close();
    first.overlay.echo([]);
    if (focused) first.focus();
    announce("One picture");
  }

  /** In each picture mark where the samples of the other one's marked cell lie. */
  private markKin(): void {
    const { second, first } = this;
    if (!second) return;
    markKin(this.surroundings, first, second.pane, () => this.second === second);
  }
}

// In each of two pictures the marks of the cells that hold the samples of the other one's marked cell.

/** Mark them anew, after either picture shows or marks something else; `open` tells whether both are still there. */
export function markKin(surroundings: Surroundings, one: Pane, other: Pane, open: () => boolean): void {
  markIn(surroundings, one, other, open);
  markIn(surroundings, other, one, open);
}

function markIn({ manifest, report }: Surroundings, pane: Pane, from: Pane, open: () => boolean): void {
  const [here, there] = [pane.stage.scene, from.stage.scene];
  const cell = there ? marked(from, there) : -1;
  if (!here || !there || cell < 0) {
    pane.overlay.echo([]);
    return;
  }
  const still = (): boolean =>
    open() && from.stage.scene === there && pane.stage.scene === here && marked(from, there) === cell;
  kinOf(manifest, there, cell, here).then((kin: readonly Kin[]) => {
    if (still()) pane.overlay.echo(kin);
  }, report);
}

/** The cell under a picture's cursor, or else its pinned one. */
function marked({ overlay, store }: Pane, { level }: Scene): number {
  const { pin } = store.state;
  if (overlay.marked >= 0) return overlay.marked;
  return pin && pin.size === level.size ? level.at(pin.row, pin.column) : -1;
}
