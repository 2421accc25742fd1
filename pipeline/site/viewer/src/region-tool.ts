// Selecting a region: drag on the picture with Shift held or while the tool is on, or set its corners with the keys.

import { announce } from "./announce";
import { button, drawing } from "./dom";
import type { Overlay } from "./overlay";
import type { Picture } from "./picture";
import { between, type Corner, extent } from "./region";
import type { Stage } from "./scene";
import type { Sight } from "./sight";
import type { Box, Store } from "./state";

export class RegionTool {
  readonly button: HTMLButtonElement;
  private on = false;
  /** Corner from which the region is drawn; null before it is set. */
  private from: Corner | null = null;
  private to: Corner | null = null;

  constructor(
    private readonly picture: Picture,
    private readonly store: Store,
    private readonly stage: Stage,
    private readonly overlay: Overlay,
    private readonly sight: Sight,
  ) {
    const dashes = ["M3 5V3h2", "M8 3h2", "M13 3h2v2", "M15 8v1.5", "M3 8v2", "M3 13v2h2", "M8 15h1.5"];
    const face = drawing(...dashes, "M14.5 12v5", "M12 14.5h5");
    this.button = button("Select a region", face, () => this.toggle());
    this.button.setAttribute("aria-pressed", "false");
    this.listen();
    stage.onChange(() => {
      if (this.draft?.size !== this.overlay.draft?.size) this.drop(); // corners count in cells of one level
    });
  }

  toggle(): void {
    if (this.on) this.cancel();
    else {
      this.turn(true);
      announce("Select a region: drag over it, or move with the arrow keys and press Enter at two corners.");
    }
  }

  /** Drop the region that is being drawn, and lay the tool down; false if there was nothing to drop. */
  cancel(): boolean {
    const busy = this.on || this.from !== null;
    this.turn(false);
    return busy;
  }

  /** Stretch the region by a row or column; false if none is being drawn with the keys. */
  step(rows: number, columns: number): boolean {
    const size = this.stage.scene?.level.size;
    if (!this.on || !this.from || !this.to || size === undefined) return false;
    const inside = (value: number): number => Math.min(Math.max(value, 0), size - 1);
    this.stretch({ row: inside(this.to.row + rows), column: inside(this.to.column + columns) });
    const { row, column } = this.to;
    this.sight.revealBox({ size, top: row, left: column, bottom: row, right: column });
    if (this.draft) announce(extent(this.draft));
    return true;
  }

  /** Set the first corner at a cell of the shown level, or finish at the second; false if the tool is not on. */
  corner(cell: number): boolean {
    const level = this.stage.scene?.level;
    if (!this.on || !level) return false;
    if (this.from) this.finish();
    else if (cell >= 0) {
      this.from = { row: level.row(cell), column: level.column(cell) };
      this.stretch(this.from);
      announce("First corner set.");
    }
    return true;
  }

  private listen(): void {
    const { viewer } = this.picture;
    let start: Corner | null = null;
    viewer.addHandler("canvas-press", ({ position, originalEvent }) => {
      const held = (originalEvent as PointerEvent).shiftKey;
      start = this.on || held ? this.cornerAt(position.x, position.y) : null;
    });
    viewer.addHandler("canvas-drag", (event) => {
      if (!start) return;
      event.preventDefaultAction = true;
      this.from = start;
      this.stretch(this.cornerAt(event.position.x, event.position.y));
    });
    viewer.addHandler("canvas-drag-end", (event) => {
      if (!start) return;
      (event as { preventDefaultAction?: boolean }).preventDefaultAction = true;
      start = null;
      this.finish();
    });
    viewer.addHandler("canvas-pinch", () => {
      if (start) this.drop();
      start = null;
    });
  }

  private get draft(): Box | null {
    const size = this.stage.scene?.level.size;
    return this.from && this.to && size !== undefined ? between(size, this.from, this.to) : null;
  }

  /** The cell at a place in the window, drawn or not; places outside belong to the nearest one. */
  private cornerAt(x: number, y: number): Corner {
    const { left, top, side } = this.picture.frame();
    const size = this.stage.scene?.level.size ?? 1;
    const cell = (share: number): number => Math.min(Math.max(Math.floor(share * size), 0), size - 1);
    return { row: cell((y - top) / side), column: cell((x - left) / side) };
  }

  private stretch(to: Corner): void {
    this.to = to;
    this.overlay.outline(this.draft);
  }

  private finish(): void {
    const { draft } = this;
    this.turn(false);
    if (draft) this.store.set({ box: draft });
  }

  private drop(): void {
    this.from = null;
    this.to = null;
    this.overlay.outline(null);
  }

  private turn(on: boolean): void {
    this.on = on;
    this.drop();
    this.button.setAttribute("aria-pressed", String(on));
    document.documentElement.toggleAttribute("data-selecting", on);
  }
}
