// Screen positions of cells, and moving cells into view.

import type { Box } from "../data/area";
import type { SceneStore } from "../state/scene";
import type { MapView } from "./map-view";

const MARGIN = 24;

export class Viewport {
  constructor(
    private readonly mapView: MapView,
    private readonly scenes: SceneStore,
  ) {}

  /** Center of a cell of the shown level, CSS pixels of the page. */
  cellToPoint(row: number, column: number): { x: number; y: number } {
    const { left, top, side } = this.mapView.frame();
    const { left: x, top: y } = this.mapView.viewer.canvas.getBoundingClientRect();
    const size = side / (this.scenes.current?.level.size ?? 1);
    return { x: x + left + (column + 0.5) * size, y: y + top + (row + 0.5) * size };
  }

  /** Move the map if a cell of the shown level is outside the window or below the panel. */
  reveal(cell: number): void {
    const level = this.scenes.current?.level;
    if (!level) return;
    const [row, column] = [level.row(cell), level.column(cell)];
    this.revealBox({ size: level.size, top: row, left: column, bottom: row, right: column });
  }

  /** The same for cells of any level; of a region that does not fit, the upper left corner. */
  revealBox(box: Box): void {
    const { left, top, side } = this.mapView.frame();
    const size = side / box.size;
    const [x, y] = [left + box.left * size, top + box.top * size];
    const [wide, high] = [(box.right - box.left + 1) * size, (box.bottom - box.top + 1) * size];
    const visibleArea = this.visibleArea();
    const right = requiredShift(x - MARGIN, x + wide + MARGIN, visibleArea.width);
    const down = requiredShift(y - MARGIN, y + high + MARGIN, visibleArea.height);
    if (right || down) this.mapView.shift(right, down);
  }

  /** Part of the map that the panel leaves free, CSS pixels. */
  private visibleArea(): { width: number; height: number } {
    const { element, canvas } = this.mapView.viewer;
    const { clientWidth: width, clientHeight: height } = canvas;
    const panel = element.closest(".map-area")?.querySelector<HTMLElement>(".panel:not([hidden])");
    if (!panel) return { width, height };
    const { offsetLeft, offsetTop } = panel;
    return offsetLeft < MARGIN
      ? { width, height: Math.min(offsetTop, height) }
      : { width: Math.min(offsetLeft, width), height };
  }
}

/** Shift of a window of this length that shows everything between the edges, or else the near edge. */
function requiredShift(near: number, far: number, length: number): number {
  return Math.min(Math.max(far - length, 0), Math.max(near, 0)) + Math.min(near, 0);
}
