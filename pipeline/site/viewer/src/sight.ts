// Where cells are on the screen, and how to bring one into sight.

import type { Picture } from "./picture";
import type { Stage } from "./scene";

declare global {
  /** For pages that show the atlas in a frame, and for tests. */
  var atlas: { place(row: number, column: number): { x: number; y: number } } | undefined;
}

const CLEARANCE = 24;

export class Sight {
  constructor(
    private readonly picture: Picture,
    private readonly stage: Stage,
    private readonly panel: HTMLElement,
  ) {
    globalThis.atlas = { place: (row, column) => this.place(row, column) };
  }

  /** The middle of a cell of the shown level, CSS pixels of the page. */
  place(row: number, column: number): { x: number; y: number } {
    const { left, top, side } = this.picture.frame();
    const { left: x, top: y } = this.picture.viewer.canvas.getBoundingClientRect();
    const size = side / (this.stage.scene?.level.size ?? 1);
    return { x: x + left + (column + 0.5) * size, y: y + top + (row + 0.5) * size };
  }

  /** Move the picture where a cell of the shown level lies outside the window or under the panel. */
  reveal(cell: number): void {
    const level = this.stage.scene?.level;
    if (!level) return;
    const { left, top, side } = this.picture.frame();
    const size = side / level.size;
    const [x, y] = [left + level.column(cell) * size, top + level.row(cell) * size];
    const room = this.room();
    const right = Math.max(x + size + CLEARANCE - room.width, 0) + Math.min(x - CLEARANCE, 0);
    const down = Math.max(y + size + CLEARANCE - room.height, 0) + Math.min(y - CLEARANCE, 0);
    if (right || down) this.picture.shift(right, down);
  }

  /** The part of the picture that the panel leaves free, CSS pixels. */
  private room(): { width: number; height: number } {
    const { clientWidth: width, clientHeight: height } = this.picture.viewer.canvas;
    const { offsetLeft, offsetTop, hidden } = this.panel;
    if (hidden) return { width, height };
    return offsetLeft < CLEARANCE ? { width, height: offsetTop } : { width: offsetLeft, height };
  }
}
