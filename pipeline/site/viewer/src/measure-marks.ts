// The marks of cells to doubt: a ring for low fidelity, a disc in two halves for mixed content.

import type { Colour } from "./mask";
import { type Doubt, doubts } from "./measure-doubt";
import type { OverlayLayer } from "./overlay";
import type { Frame } from "./picture";
import type { Scene } from "./scene";
import type { Store } from "./state";

const LEAST_CELL = 14; // pixels; in smaller cells a mark would hide the icon
const SHARE = 0.085; // of a cell's side
const [LEAST, MOST] = [2.5, 8];

interface Marked {
  readonly row: number;
  readonly column: number;
  readonly why: readonly Doubt[];
}

interface Colours {
  readonly ink: string;
  readonly paper: string;
}

export class DoubtMarks implements OverlayLayer {
  private cells: Marked[] = [];
  private size = 1;
  private colours: Colours = { ink: "", paper: "" };
  private readonly sprites = new Map<string, OffscreenCanvas>();

  constructor(private readonly store: Store) {}

  rebuild({ level }: Scene, colour: (name: string) => Colour): void {
    this.cells = [];
    this.size = level.size;
    this.sprites.clear();
    this.colours = { ink: css(colour("--ink")), paper: css(colour("--paper")) };
    if (!this.store.state.marks) return;
    for (let cell = 0; cell < level.cells; cell++) {
      const why = level.isDrawn(cell) ? doubts(level, cell) : [];
      if (why.length) this.cells.push({ row: level.row(cell), column: level.column(cell), why });
    }
  }

  over(context: CanvasRenderingContext2D, { left, top, side }: Frame): void {
    const cell = side / this.size;
    if (cell < LEAST_CELL) return;
    const { width, height } = context.canvas;
    const radius = Math.round(2 * Math.min(Math.max(SHARE * cell, LEAST), MOST)) / 2;
    const inset = 0.09 * cell + radius;
    for (const { row, column, why } of this.cells) {
      let x = left + (column + 1) * cell - inset;
      const y = top + row * cell + inset;
      if (x < 0 || y < 0 || x - cell > width || y - cell > height) continue;
      for (const doubt of why) {
        const sprite = this.sprite(doubt, radius);
        const length = sprite.width / devicePixelRatio;
        context.drawImage(sprite, x - length / 2, y - length / 2, length, length);
        x -= 2.5 * radius;
      }
    }
  }

  private sprite(doubt: Doubt, radius: number): OffscreenCanvas {
    const name = `${doubt} ${radius} ${devicePixelRatio}`;
    let found = this.sprites.get(name);
    if (!found) {
      found = drawn(doubt, radius, this.colours);
      this.sprites.set(name, found);
    }
    return found;
  }
}

function drawn(doubt: Doubt, radius: number, { ink, paper }: Colours): OffscreenCanvas {
  const middle = radius + 2;
  const canvas = new OffscreenCanvas(2 * middle * devicePixelRatio, 2 * middle * devicePixelRatio);
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const arc = (length: number, from: number, to: number): void => {
    context.beginPath();
    context.arc(middle, middle, length, from, to);
  };
  context.scale(devicePixelRatio, devicePixelRatio);
  context.fillStyle = paper;
  arc(radius + 1.5, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = context.strokeStyle = ink;
  context.lineWidth = Math.max(1, radius / 3);
  arc(radius - context.lineWidth / 2, 0, 2 * Math.PI);
  context.stroke();
  if (doubt === "mixed content") {
    arc(radius, Math.PI / 2, 1.5 * Math.PI);
    context.fill();
  }
  return canvas;
}

function css([red, green, blue]: Colour): string {
  return `rgb(${red} ${green} ${blue})`;
}
