// Screen positions of cells, and moving cells into view.

import type { Box } from "../data/area";
import type { SceneStore } from "../state/scene";
import type { Frame } from "./frame";
import type { MapView, Window } from "./map-view";
import { freeRectangle, intersect, type Rectangle } from "./obstacles";

const MARGIN = 24;

export class Viewport {
  /** What stays in sight when the window or the elements in front of it change. */
  subject: () => Box | null = () => null;

  constructor(
    private readonly mapView: MapView,
    private readonly scenes: SceneStore,
  ) {
    mapView.onLayout((before) => {
      const box = this.subject();
      if (box && isInside(boundsOf(box, before.frame), before)) this.revealBox(box);
    });
  }

  /** Center of a cell of the shown level, CSS pixels of the page. */
  cellToPoint(row: number, column: number): { x: number; y: number } {
    const { left, top, side } = this.mapView.frame();
    const { left: x, top: y } = this.mapView.viewer.canvas.getBoundingClientRect();
    const size = side / (this.scenes.current?.level.size ?? 1);
    return { x: x + left + (column + 0.5) * size, y: y + top + (row + 0.5) * size };
  }

  /** Move the map if a cell of the shown level is outside the window or below an element in front of it. */
  reveal(cell: number): void {
    const level = this.scenes.current?.level;
    if (!level) return;
    const [row, column] = [level.row(cell), level.column(cell)];
    this.revealBox({ size: level.size, top: row, left: column, bottom: row, right: column });
  }

  /** The same for cells of any level; of a region that does not fit, the upper left corner. */
  revealBox(box: Box): void {
    this.mapView.layOut();
    const { mapView } = this;
    const found = boundsOf(box, mapView.frame(false));
    const obstacles = mapView.inFront;
    const { width, height } = mapView.window;
    const around = grown(found, MARGIN);
    if (isInside(around, mapView.window) && !obstacles.some((each) => intersect(each, found))) return;
    const side = (wide: number, high: number): number => Math.min(wide, high);
    const free = freeRectangle(width, height, obstacles, side);
    const right = requiredShift(found.left - free.left, found.right - free.left, free.right - free.left);
    const down = requiredShift(found.top - free.top, found.bottom - free.top, free.bottom - free.top);
    if (right || down) mapView.shift(right, down);
  }
}

/** Position of cells in the window, CSS pixels. */
function boundsOf({ size, left, top, right, bottom }: Box, frame: Frame): Rectangle {
  const cell = frame.side / size;
  return {
    left: frame.left + left * cell,
    top: frame.top + top * cell,
    right: frame.left + (right + 1) * cell,
    bottom: frame.top + (bottom + 1) * cell,
  };
}

function grown({ left, top, right, bottom }: Rectangle, by: number): Rectangle {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}

function isInside({ left, top, right, bottom }: Rectangle, { width, height }: Window): boolean {
  return left >= 0 && top >= 0 && right <= width && bottom <= height;
}

/**
 * Shift of a window of this length that shows everything between the edges and a margin around it, or else the near edge.
 */
function requiredShift(near: number, far: number, length: number): number {
  const margin = Math.min(Math.max((length - (far - near)) / 2, 0), MARGIN);
  const [from, to] = [near - margin, far + margin];
  return Math.min(Math.max(to - length, 0), Math.max(from, 0)) + Math.min(from, 0);
}
