// Cursor: the cell at the pointer or the keyboard cursor, outlined and shown in the hover card.

import { nearestCell, nextCell } from "../data/level";
import type { Manifest } from "../data/manifest";
import type { MapView } from "../map/map-view";
import type { Overlay } from "../map/overlay";
import type { Viewport } from "../map/viewport";
import { describeCell } from "../panels/cell-description";
import type { HoverCard } from "../panels/hover-card";
import type { Scene, SceneStore } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";

export class Cursor {
  constructor(
    private readonly store: Store,
    private readonly scenes: SceneStore,
    private readonly mapView: MapView,
    private readonly overlay: Overlay,
    private readonly card: HoverCard,
    private readonly viewport: Viewport,
    private readonly manifest: Manifest,
  ) {}

  /** Move the cursor to the cell of a sample and the sample's card next to a point of the page, CSS pixels. */
  hoverSample(point: number, cell: number, x: number, y: number): void {
    const { current: scene } = this.scenes;
    if (!scene) return;
    this.overlay.mark(cell);
    this.card.showSample(scene, point, x, y);
  }

  /** Cell of the shown level, -1 for none. */
  get cell(): number {
    return this.overlay.marked;
  }

  /** Move the cursor to a cell and the card next to a point of the page, CSS pixels. */
  hover(cell: number, x: number, y: number): void {
    const { current: scene } = this.scenes;
    if (!scene) return;
    this.overlay.mark(cell);
    this.card.show(scene, cell, x, y);
  }

  leave(): void {
    this.overlay.mark(-1);
    this.card.hide();
  }

  /** Move to the next cell with an icon in a direction, move it into view and announce it. */
  step(rows: number, columns: number): void {
    const { current: scene } = this.scenes;
    if (!scene) return;
    const { level } = scene;
    const cell = this.next(scene, rows, columns);
    if (cell < 0) return;
    this.overlay.mark(cell);
    this.viewport.reveal(cell);
    const { x, y } = this.viewport.cellToPoint(level.row(cell), level.column(cell));
    this.card.show(scene, cell, x, y);
    announce(describeCell(this.manifest, scene, cell, this.store.state.sign));
  }

  private next({ level }: Scene, rows: number, columns: number): number {
    const { pin } = this.store.state;
    const pinned = pin && pin.size === level.size ? level.at(pin.row, pin.column) : -1;
    const from = this.cell >= 0 ? this.cell : pinned;
    if (from >= 0) return nextCell(level, from, rows, columns);
    const view = this.mapView.view();
    return nearestCell(level, view.x, view.y);
  }
}
