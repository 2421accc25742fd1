// Drawing a region by dragging on the map with mouse, pen or one finger.

import { Area, type Box } from "../data/area";
import type { LevelData } from "../data/level";
import type { MapView } from "../map/map-view";
import type { Point } from "../map/region-outline";
import { selectWithLasso } from "./lasso";
import { boxBetween, type Corner } from "./region";

export interface RegionDrag<Tool> {
  readonly tool: Tool;
  /** Whether Shift was held at the start. */
  readonly shift: boolean;
  /** Path of the drag, in units of the atlas's side. */
  readonly path: Point[];
}

export interface DragActions<Tool> {
  /** Tool of a drag that starts now; null to pan the map. */
  onStart(shift: boolean): Tool | null;
  onMove(drag: RegionDrag<Tool>): void;
  onEnd(drag: RegionDrag<Tool>): void;
  onCancel(): void;
}

const MIN_DISTANCE = 2; // CSS pixels

/** Call the result to abort the drag; it returns whether there was one. */
export function listenToDrag<Tool>(mapView: MapView, actions: DragActions<Tool>): () => boolean {
  const { viewer } = mapView;
  let drag: RegionDrag<Tool> | null = null;
  let ignored = false; // aborted while the button is held: the map stays in place
  const at = ({ x, y }: Point): Point => {
    const { left, top, side } = mapView.frame();
    return { x: (x - left) / side, y: (y - top) / side };
  };
  const extend = ({ path }: RegionDrag<Tool>, to: Point): void => {
    const last = path.at(-1) ?? to;
    const minDistance = MIN_DISTANCE / mapView.frame().side;
    if (Math.hypot(to.x - last.x, to.y - last.y) >= minDistance) path.push(to);
  };
  viewer.addHandler("canvas-press", ({ position, originalEvent }) => {
    const shift = (originalEvent as PointerEvent).shiftKey;
    const tool = actions.onStart(shift);
    ignored = false;
    drag = tool === null ? null : { tool, shift, path: [at(position)] };
  });
  viewer.addHandler("canvas-drag", (event) => {
    if (drag || ignored) event.preventDefaultAction = true;
    if (!drag) return;
    extend(drag, at(event.position));
    actions.onMove(drag);
  });
  viewer.addHandler("canvas-drag-end", (event) => {
    if (drag || ignored) (event as { preventDefaultAction?: boolean }).preventDefaultAction = true;
    if (!drag) return;
    const done = drag;
    drag = null;
    actions.onEnd(done);
  });
  viewer.addHandler("canvas-pinch", () => {
    if (drag) actions.onCancel();
    drag = null;
  });
  return () => {
    const drawing = drag !== null && drag.path.length > 1; // a click leaves one point
    if (drag) actions.onCancel();
    ignored = drag !== null;
    drag = null;
    return drawing;
  };
}

// Converts the path of a drag to an area.

export type Tool = "box" | "lasso";

/** Positions selected by a tool; null if there are none. */
export function selectCells(tool: Tool, level: LevelData, path: readonly Point[]): Area | null {
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last) return null;
  if (tool === "lasso") return selectWithLasso(level, path);
  return Area.box(boxBetween(level.size, cornerAt(level.size, first), cornerAt(level.size, last)));
}

/** Grid position of a point; points outside belong to the nearest position. */
function cornerAt(size: number, { x, y }: Point): Corner {
  const clampToGrid = (share: number): number => Math.min(Math.max(Math.floor(share * size), 0), size - 1);
  return { row: clampToGrid(y), column: clampToGrid(x) };
}

/** Union at the finer of both levels; only the addition if neither cell size divides the other. */
export function combineAreas(selected: Area | null, addition: Area | null): Area | null {
  if (!selected || !addition) return addition ?? selected;
  const [fine, coarse] = [selected.at(addition.size), addition.at(selected.size)];
  if (fine) return fine.plus(addition);
  return coarse ? selected.plus(coarse) : addition;
}

// Rectangle drawn with the keyboard: from a first corner, extended by cells.

export class RectangleCorners {
  private to: Corner;

  constructor(
    private readonly size: number,
    private readonly from: Corner,
  ) {
    this.to = from;
  }

  /** Move the second corner by rows and columns, up to the edge. */
  step(rows: number, columns: number): void {
    const inside = (value: number): number => Math.min(Math.max(value, 0), this.size - 1);
    this.to = { row: inside(this.to.row + rows), column: inside(this.to.column + columns) };
  }

  /** The cell in the second corner. */
  get end(): Box {
    return boxBetween(this.size, this.to, this.to);
  }

  get area(): Area {
    return Area.box(boxBetween(this.size, this.from, this.to));
  }
}
