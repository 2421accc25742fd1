// Selecting a region: drag a rectangle or a free line while its tool is on, a rectangle too with Shift held; or set the
// corners of a rectangle with the keys, or take single cells.

import { Area } from "../data/area";
import { count } from "../data/format";
import type { Overlay } from "../map/overlay";
import type { Picture } from "../map/picture";
import type { Sight } from "../map/viewport";
import type { Stage } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { button, drawing } from "../ui/dom";
import { Corners, drawn, listenToDrag, type Tool, together } from "./drawing";
import { extent } from "./region";

const HOW: Readonly<Record<Tool, string>> = {
  box:
    "Select a region: drag over it, or move with the arrow keys and press Enter at two corners. " +
    "Shift adds to what is selected.",
  lasso:
    "Select with the lasso: draw around cells, or click single ones. Shift adds to what is selected. " +
    "With the keys, x takes the cell under the cursor.",
};

export class RegionTool {
  readonly buttons: Readonly<Record<Tool, HTMLButtonElement>>;
  private on: Tool | null = null;
  /** What is drawn is added to what is selected, whether Shift is held or not. */
  private adds = false;
  /** The corners that the keys set; null before. */
  private corners: Corners | null = null;
  private readonly giveUp: () => boolean;

  constructor(
    picture: Picture,
    private readonly store: Store,
    private readonly stage: Stage,
    private readonly overlay: Overlay,
    private readonly sight: Sight,
  ) {
    this.buttons = toolButtons((tool) => this.toggle(tool));
    this.turn(null);
    this.giveUp = listenToDrag<Tool>(picture, {
      begins: (shift) => this.on ?? (shift ? "box" : null),
      moves: ({ tool, trail, shift }) => {
        const area = stage.scene && drawn(tool, stage.scene.level, trail);
        this.draw(area, shift, tool === "lasso" ? trail : []);
      },
      ends: ({ tool, trail, shift }) =>
        this.take(stage.scene && drawn(tool, stage.scene.level, trail), shift),
      drops: () => this.drop(),
    });
    let size = 0; // what is drawn counts in cells of one level
    stage.onChange(({ level }) => {
      if (level.size !== size) this.drop();
      size = level.size;
    });
  }

  /** Take a tool up, or lay it down. */
  toggle(tool: Tool, adds = false): void {
    const next = this.on === tool && this.adds === adds ? null : tool;
    this.turn(next);
    this.adds = adds && next !== null;
    if (next) announce(HOW[next]);
  }

  /** Drop the region that is being drawn, and lay the tool down; false if there was nothing to drop. */
  cancel(): boolean {
    const drawing = this.giveUp();
    const busy = drawing || this.on !== null;
    this.turn(null);
    return busy;
  }

  /** Take a cell that was clicked; false if the lasso is not on. */
  click(cell: number): boolean {
    if (this.on !== "lasso") return false;
    this.toggleCell(cell);
    return true;
  }

  /** Add a cell of the shown level to the selection, or take it out. */
  toggleCell(cell: number): void {
    const level = this.stage.scene?.level;
    if (!level) return;
    if (cell < 0) {
      announce("Move to a cell first.");
      return;
    }
    const [row, column] = [level.row(cell), level.column(cell)];
    const before = this.selection?.at(level.size);
    const here = Area.box({ size: level.size, top: row, left: column, bottom: row, right: column });
    const after = before?.has(row, column) ? before.toggled(row, column) : together(this.selection, here);
    this.store.set({ selection: after });
    const change = before?.has(row, column) ? "Taken out" : "Added";
    announce(after ? `${change}. ${count(after.places, "cell")} selected.` : "Nothing is selected.");
  }

  /** Stretch the region by a row or column; false if none is being drawn with the keys. */
  step(rows: number, columns: number): boolean {
    const { corners } = this;
    if (!corners) return false;
    corners.step(rows, columns);
    this.draw(corners.area, false);
    this.sight.revealBox(corners.end);
    announce(extent(corners.area));
    return true;
  }

  /** Set the first corner at a cell of the shown level, or finish at the second; false if the tool is not on. */
  corner(cell: number, shift = false): boolean {
    const level = this.stage.scene?.level;
    if (this.on !== "box" || !level) return false;
    if (this.corners) this.take(this.corners.area, shift);
    else if (cell >= 0) {
      this.corners = new Corners(level.size, { row: level.row(cell), column: level.column(cell) });
      this.draw(this.corners.area, false);
      announce("First corner set.");
    }
    return true;
  }

  /** Show what is being drawn. */
  private draw(area: Area | null, shift: boolean, trail: readonly { x: number; y: number }[] = []): void {
    this.overlay.outline({
      area: this.adding(shift) ? together(this.selection, area) : area,
      trail: [...trail],
    });
  }

  private take(area: Area | null, shift: boolean): void {
    const selection = this.adding(shift) ? together(this.selection, area) : area;
    this.turn(null);
    if (area) this.store.set({ selection });
    else announce("No cells lie there.");
  }

  /** Shift alone stands for the box; with a tool in hand it adds. */
  private adding(shift: boolean): boolean {
    return this.adds || (this.on !== null && shift);
  }

  private get selection(): Area | null {
    return this.store.state.selection;
  }

  private drop(): void {
    this.corners = null;
    this.overlay.outline(null);
  }

  private turn(on: Tool | null): void {
    this.on = on;
    this.adds = false;
    this.drop();
    for (const [tool, face] of Object.entries(this.buttons)) {
      face.setAttribute("aria-pressed", String(tool === on));
    }
    const { dataset } = document.documentElement;
    if (on) dataset.selecting = on;
    else delete dataset.selecting;
  }
}

// The buttons that take up a tool to select with.

/** A rope: a loop that is being drawn, and its end. */
const LOOP =
  "M5.6 12.6C3.7 11.7 2.6 10.3 2.6 8.7c0-3 3.3-5.4 7.4-5.4s7.4 2.4 7.4 5.4-3.3 5.4-7.4 5.4c-1 0-2-.1-2.8-.4";
const END = "M5.6 12.6c1 .2 1.6.6 1.6 1.2 0 1.2-2.6.8-2.6 2 0 .9 1.3 1.3 2.6 1.3";

export function toolButtons(toggle: (tool: Tool) => void): Record<Tool, HTMLButtonElement> {
  const dashes = ["M3 5V3h2", "M8 3h2", "M13 3h2v2", "M15 8v1.5", "M3 8v2", "M3 13v2h2", "M8 15h1.5"];
  const box = drawing(...dashes, "M14.5 12v5", "M12 14.5h5");
  return {
    box: button("Select a region", box, () => toggle("box")),
    lasso: button("Select with the lasso", rope(), () => toggle("lasso")),
  };
}

/** The button that adds to what is selected. */
export function addButton(add: () => void): HTMLButtonElement {
  return button("Add to the region with the lasso", rope("M16.6 13.5v5", "M14.1 16h5"), add, "quiet add");
}

function rope(...others: readonly string[]): SVGSVGElement {
  const made = drawing(LOOP, END, ...others);
  made.firstElementChild?.setAttribute("stroke-dasharray", "2.4 2.3");
  return made;
}
