// A drag on the picture that draws instead of moving it, with mouse, pen or one finger.

import { Area, type Box } from "../data/area";
import type { LevelData } from "../data/level";
import type { MapView } from "../map/map-view";
import type { Point } from "../map/region-outline";
import { selectWithLasso } from "./lasso";
import { boxBetween, type Corner } from "./region";

export interface RegionDrag<Tool> {
  readonly tool: Tool;
  /** Shift was held when it began. */
  readonly shift: boolean;
  /** Where it went, in shares of the atlas. */
  readonly path: Point[];
}

export interface DragActions<Tool> {
  /** What a drag draws that begins now; null to let it move the picture. */
  begins(shift: boolean): Tool | null;
  moves(drag: RegionDrag<Tool>): void;
  ends(drag: RegionDrag<Tool>): void;
  drops(): void;
}

const NEAR = 2; // CSS pixels

/** Call the result to give up what is being drawn; it says whether anything was. */
export function listenToDrag<Tool>(mapView: MapView, actions: DragActions<Tool>): () => boolean {
  const { viewer } = mapView;
  let drag: RegionDrag<Tool> | null = null;
  let ignored = false; // given up, but the button is still held: the picture stays where it is
  const at = ({ x, y }: Point): Point => {
    const { left, top, side } = mapView.frame();
    return { x: (x - left) / side, y: (y - top) / side };
  };
  const extend = ({ path }: RegionDrag<Tool>, to: Point): void => {
    const last = path.at(-1) ?? to;
    const near = NEAR / mapView.frame().side;
    if (Math.hypot(to.x - last.x, to.y - last.y) >= near) path.push(to);
  };
  viewer.addHandler("canvas-press", ({ position, originalEvent }) => {
    const shift = (originalEvent as PointerEvent).shiftKey;
    const tool = actions.begins(shift);
    ignored = false;
    drag = tool === null ? null : { tool, shift, path: [at(position)] };
  });
  viewer.addHandler("canvas-drag", (event) => {
    if (drag || ignored) event.preventDefaultAction = true;
    if (!drag) return;
    extend(drag, at(event.position));
    actions.moves(drag);
  });
  viewer.addHandler("canvas-drag-end", (event) => {
    if (drag || ignored) (event as { preventDefaultAction?: boolean }).preventDefaultAction = true;
    if (!drag) return;
    const done = drag;
    drag = null;
    actions.ends(done);
  });
  viewer.addHandler("canvas-pinch", () => {
    if (drag) actions.drops();
    drag = null;
  });
  return () => {
    const drawing = drag !== null && drag.path.length > 1; // a mere click leaves one place behind
    if (drag) actions.drops();
    ignored = drag !== null;
    drag = null;
    return drawing;
  };
}

// What a tool makes of the way that a drag went.

export type Tool = "box" | "lasso";

/** The places that a tool takes; null where it takes none. */
export function selectPlaces(tool: Tool, level: LevelData, path: readonly Point[]): Area | null {
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last) return null;
  if (tool === "lasso") return selectWithLasso(level, path);
  return Area.box(boxBetween(level.size, cornerAt(level.size, first), cornerAt(level.size, last)));
}

/** The place that a point lies in, drawn or not; points outside belong to the nearest one. */
function cornerAt(size: number, { x, y }: Point): Corner {
  const place = (share: number): number => Math.min(Math.max(Math.floor(share * size), 0), size - 1);
  return { row: place(y), column: place(x) };
}

/** Both, at the finer level of the two; the addition alone where the cells of their levels do not divide each other. */
export function combineAreas(selected: Area | null, addition: Area | null): Area | null {
  if (!selected || !addition) return addition ?? selected;
  const [fine, coarse] = [selected.at(addition.size), addition.at(selected.size)];
  if (fine) return fine.plus(addition);
  return coarse ? selected.plus(coarse) : addition;
}

// A rectangle that is set with the keys: from a first corner, stretched cell by cell.

export class RectangleCorners {
  private to: Corner;

  constructor(
    private readonly size: number,
    private readonly from: Corner,
  ) {
    this.to = from;
  }

  /** Move the second corner by so many rows and columns, at most to the edge. */
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
