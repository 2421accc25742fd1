// Split view: a second map synchronized with the first; each marks where the samples of the other's marked cell lie.

import type { CellAddress } from "../data/area";
import { findSharedSamples, type SharedSamples } from "../data/related-cells";
import type { Scene } from "../state/scene";
import { initialSplit, swapViews } from "../state/split-view";
import type { State } from "../state/state";
import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon } from "../ui/dom";
import type { Cursor } from "./cursor";
import type { Pane, PaneContext } from "./pane";
import { SecondPane } from "./second-pane";

const root = document.documentElement;

export class SplitView {
  readonly button = createButton("Split view", createSvgIcon("M3 4.5h6v11H3Z", "M11 4.5h6v11h-6Z"), () =>
    this.toggle(),
  );
  private second: SecondPane | null = null;

  constructor(
    private readonly paneContext: PaneContext,
    private readonly first: Pane,
    /** Called before a cell of the second map is pinned in the first pane. */
    private readonly awaitPin: (cell: CellAddress) => void,
    /** Called with the pane of a second map, and with null once that is closed. */
    private readonly onSecond: (pane: Pane | null) => void,
  ) {
    const { store, scenes, overlay } = first;
    store.subscribe((state, before) => this.follow(state, before));
    scenes.onChange(() => {
      this.follow(store.state, store.state);
      this.markSharedSamples();
    });
    overlay.onMark(() => this.markSharedSamples());
    this.button.setAttribute("aria-pressed", "false");
  }

  /** Open the split view of the initial link. */
  start(): void {
    const { store } = this.first;
    if (store.state.split) this.follow(store.state, { ...store.state, split: null });
  }

  toggle(): void {
    const { store } = this.first;
    const { split } = store.state;
    store.set({ split: split ? null : initialSplit(this.paneContext.manifest, store.state) });
  }

  close(): void {
    this.first.store.set({ split: null });
  }

  /** Clear the cursor of the second map, or else close it; false if there is none. */
  leave(): boolean {
    const { second } = this;
    if (!second) return false;
    if (second.pane.cursor.cell >= 0) second.pane.cursor.leave();
    else this.close();
    return true;
  }

  /** Cursor of the second map while it has the focus. */
  get cursor(): Cursor | null {
    return this.second?.focused ? this.second.pane.cursor : null;
  }

  /** Pin the cell at the second map's cursor; false if it has none. */
  pin(): boolean {
    const cell = this.cursor?.cell ?? -1;
    if (cell >= 0) this.second?.pinInFirst(cell, this);
    return cell >= 0;
  }

  /** Redraw after a change of the theme. */
  rebuild(): void {
    this.second?.pane.overlay.rebuild();
  }

  swap(): void {
    const { store } = this.first;
    store.set(swapViews(this.paneContext.manifest, store.state));
  }

  pinInFirst(pin: CellAddress): void {
    const { store } = this.first;
    this.awaitPin(pin);
    store.set({ ...swapViews(this.paneContext.manifest, store.state), pin });
  }

  onShown({ level, heatmap }: Scene): void {
    root.dataset.split = `${level.name}/${heatmap?.classId ?? ""}`;
    this.paneContext.card.hide();
    this.markSharedSamples();
  }

  private follow(state: State, before: State): void {
    const { split } = state;
    if (!split) this.closeSecondPane();
    else if (this.second) this.second.follow(this.paneContext.manifest, split);
    else this.openSecondPane(state);
    if (state.pin !== before.pin) this.markSharedSamples();
  }

  private openSecondPane({ split }: State): void {
    if (!split) return;
    root.dataset.split = "";
    this.button.setAttribute("aria-pressed", "true");
    const { first, paneContext } = this;
    this.second = new SecondPane(paneContext, first, split, this);
    const { overlay, viewport } = this.second.pane;
    overlay.onMark(() => this.markSharedSamples());
    this.onSecond(this.second.pane);
    if (globalThis.atlas)
      globalThis.atlas.secondCellToPoint = (row, column) => viewport.cellToPoint(row, column);
    announce(`Layer ${split.layer} side by side with layer ${first.store.state.layer}`);
  }

  private closeSecondPane(): void {
    const { second, first } = this;
    if (!second) return;
    this.second = null;
    const focused = second.focused;
    delete root.dataset.split;
    delete globalThis.atlas?.secondCellToPoint;
    this.button.setAttribute("aria-pressed", "false");
    this.onSecond(null);
    second.close();
    first.mapView.layOut();
    first.overlay.showSharedSamples([]);
    if (focused) first.focus();
    announce("Split view closed");
  }

  /** Mark the shared samples in both maps. */
  private markSharedSamples(): void {
    const { second, first } = this;
    if (!second) return;
    markSharedSamples(this.paneContext, first, second.pane, () => this.second === second);
  }
}

// Marks of shared samples in two maps.

/** Update the marks after either map has changed; `open` tells whether both are still shown. */
export function markSharedSamples(
  paneContext: PaneContext,
  one: Pane,
  other: Pane,
  open: () => boolean,
): void {
  markSharedSamplesIn(paneContext, one, other, open);
  markSharedSamplesIn(paneContext, other, one, open);
}

function markSharedSamplesIn(
  { manifest, reportError }: PaneContext,
  pane: Pane,
  from: Pane,
  open: () => boolean,
): void {
  const [here, there] = [pane.scenes.current, from.scenes.current];
  const cell = there ? markedCell(from, there) : -1;
  if (!here || !there || cell < 0) {
    pane.overlay.showSharedSamples([]);
    return;
  }
  const isCurrent = (): boolean =>
    open() &&
    from.scenes.current === there &&
    pane.scenes.current === here &&
    markedCell(from, there) === cell;
  findSharedSamples(manifest, there, cell, here).then((shared: readonly SharedSamples[]) => {
    if (isCurrent()) pane.overlay.showSharedSamples(shared);
  }, reportError);
}

/** The cell at the cursor of a map, or else its pinned cell. */
function markedCell({ overlay, store }: Pane, { level }: Scene): number {
  const { pin } = store.state;
  if (overlay.marked >= 0) return overlay.marked;
  return pin && pin.size === level.size ? level.at(pin.row, pin.column) : -1;
}
