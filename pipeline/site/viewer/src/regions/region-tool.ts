// Tools that select a region: drag a rectangle or a lasso, drag a rectangle with Shift, set the corners of a rectangle
// with the keyboard, or toggle single cells.

import { Area } from "../data/area";
import { count } from "../data/format";
import type { MapView } from "../map/map-view";
import type { Overlay } from "../map/overlay";
import type { Viewport } from "../map/viewport";
import type { SceneStore } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon } from "../ui/dom";
import { combineAreas, listenToDrag, RectangleCorners, selectCells, type Tool } from "./drawing";
import { describeExtent } from "./region";

const INSTRUCTIONS: Readonly<Record<Tool, string>> = {
  box:
    "Select a region: drag over it, or move with the arrow keys and press Enter at two corners. " +
    "Shift adds to the selection.",
  lasso:
    "Select with the lasso: draw around cells, or click single cells. Shift adds to the selection. " +
    "With the keyboard, x adds the cell at the cursor.",
};

export class RegionTool {
  readonly buttons: Readonly<Record<Tool, HTMLButtonElement>>;
  private activeTool: Tool | null = null;
  /** Whether the drawn region is added to the selection without Shift. */
  private addsToSelection = false;
  /** Corners set with the keyboard; null before. */
  private corners: RectangleCorners | null = null;
  private readonly abortDrag: () => boolean;

  constructor(
    mapView: MapView,
    private readonly store: Store,
    private readonly scenes: SceneStore,
    private readonly overlay: Overlay,
    private readonly viewport: Viewport,
  ) {
    this.buttons = createToolButtons((tool) => this.toggle(tool));
    this.setTool(null);
    this.abortDrag = listenToDrag<Tool>(mapView, {
      onStart: (shift) => this.activeTool ?? (shift ? "box" : null),
      onMove: ({ tool, path, shift }) => {
        const area = scenes.current && selectCells(tool, scenes.current.level, path);
        this.draw(area, shift, tool === "lasso" ? path : []);
      },
      onEnd: ({ tool, path, shift }) =>
        this.finish(scenes.current && selectCells(tool, scenes.current.level, path), shift),
      onCancel: () => this.clearDraft(),
    });
    let size = 0; // a drawn region is in cells of one level
    scenes.onChange(({ level }) => {
      if (level.size !== size) this.clearDraft();
      size = level.size;
    });
  }

  /** Activate or deactivate a tool. */
  toggle(tool: Tool, addsToSelection = false): void {
    const next = this.activeTool === tool && this.addsToSelection === addsToSelection ? null : tool;
    this.setTool(next);
    this.addsToSelection = addsToSelection && next !== null;
    if (next) announce(INSTRUCTIONS[next]);
  }

  /** Abort the region being drawn and deactivate the tool; false if there was neither. */
  cancel(): boolean {
    const drawing = this.abortDrag();
    const busy = drawing || this.activeTool !== null;
    this.setTool(null);
    return busy;
  }

  /** Toggle a clicked cell; false if the lasso is not active. */
  click(cell: number): boolean {
    if (this.activeTool !== "lasso") return false;
    this.toggleCell(cell);
    return true;
  }

  /** Add a cell of the shown level to the selection, or remove it. */
  toggleCell(cell: number): void {
    const level = this.scenes.current?.level;
    if (!level) return;
    if (cell < 0) {
      announce("Move to a cell first.");
      return;
    }
    const [row, column] = [level.row(cell), level.column(cell)];
    const before = this.selection?.at(level.size);
    const here = Area.box({ size: level.size, top: row, left: column, bottom: row, right: column });
    const after = before?.has(row, column) ? before.toggled(row, column) : combineAreas(this.selection, here);
    this.store.set({ selection: after });
    const change = before?.has(row, column) ? "Removed" : "Added";
    announce(after ? `${change}. ${count(after.positions, "cell")} selected.` : "Nothing is selected.");
  }

  /** Extend the region by rows or columns; false if none is being drawn with the keyboard. */
  step(rows: number, columns: number): boolean {
    const { corners } = this;
    if (!corners) return false;
    corners.step(rows, columns);
    this.draw(corners.area, false);
    this.viewport.revealBox(corners.end);
    announce(describeExtent(corners.area));
    return true;
  }

  /** Set the first corner at a cell of the shown level, or finish at the second; false if the tool is not active. */
  corner(cell: number, shift = false): boolean {
    const level = this.scenes.current?.level;
    if (this.activeTool !== "box" || !level) return false;
    if (this.corners) this.finish(this.corners.area, shift);
    else if (cell >= 0) {
      this.corners = new RectangleCorners(level.size, { row: level.row(cell), column: level.column(cell) });
      this.draw(this.corners.area, false);
      announce("First corner set.");
    }
    return true;
  }

  /** Show the region being drawn. */
  private draw(area: Area | null, shift: boolean, path: readonly { x: number; y: number }[] = []): void {
    this.overlay.outline({
      area: this.isAdding(shift) ? combineAreas(this.selection, area) : area,
      path: [...path],
    });
  }

  private finish(area: Area | null, shift: boolean): void {
    const selection = this.isAdding(shift) ? combineAreas(this.selection, area) : area;
    this.setTool(null);
    if (area) this.store.set({ selection });
    else announce("No cells there.");
  }

  /** Shift alone selects a rectangle; with an active tool it adds. */
  private isAdding(shift: boolean): boolean {
    return this.addsToSelection || (this.activeTool !== null && shift);
  }

  private get selection(): Area | null {
    return this.store.state.selection;
  }

  private clearDraft(): void {
    this.corners = null;
    this.overlay.outline(null);
  }

  private setTool(activeTool: Tool | null): void {
    this.activeTool = activeTool;
    this.addsToSelection = false;
    this.clearDraft();
    for (const [tool, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-pressed", String(tool === activeTool));
    }
    const { dataset } = document.documentElement;
    if (activeTool) dataset.selecting = activeTool;
    else delete dataset.selecting;
  }
}

// Buttons of the tools.

/** Icon of a lasso: a loop being drawn, and its end. */
const LASSO_LOOP =
  "M5.6 12.6C3.7 11.7 2.6 10.3 2.6 8.7c0-3 3.3-5.4 7.4-5.4s7.4 2.4 7.4 5.4-3.3 5.4-7.4 5.4c-1 0-2-.1-2.8-.4";
const LASSO_END = "M5.6 12.6c1 .2 1.6.6 1.6 1.2 0 1.2-2.6.8-2.6 2 0 .9 1.3 1.3 2.6 1.3";

export function createToolButtons(toggle: (tool: Tool) => void): Record<Tool, HTMLButtonElement> {
  const dashes = ["M3 5V3h2", "M8 3h2", "M13 3h2v2", "M15 8v1.5", "M3 8v2", "M3 13v2h2", "M8 15h1.5"];
  const box = createSvgIcon(...dashes, "M14.5 12v5", "M12 14.5h5");
  return {
    box: createButton("Select a region", box, () => toggle("box")),
    lasso: createButton("Select with the lasso", createLassoIcon(), () => toggle("lasso")),
  };
}

/** Button that adds to the selection. */
export function createAddButton(add: () => void): HTMLButtonElement {
  return createButton(
    "Add to the region with the lasso",
    createLassoIcon("M16.6 13.5v5", "M14.1 16h5"),
    add,
    "icon-button add",
  );
}

function createLassoIcon(...others: readonly string[]): SVGSVGElement {
  const icon = createSvgIcon(LASSO_LOOP, LASSO_END, ...others);
  icon.firstElementChild?.setAttribute("stroke-dasharray", "2.4 2.3");
  return icon;
}
