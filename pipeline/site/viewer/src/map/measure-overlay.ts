// Colors of a measure or of a channel over the icons, which remain visible.

import { positionBetween } from "../data/channels";
import type { JudgedMeasure, Verdict } from "../data/manifest";
import { measureInfo, measureRange, positionInRange } from "../data/measures";
import { doubtsOf } from "../data/verdict";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { type Color, colorRamp } from "../ui/colors";
import type { Frame } from "./frame";
import type { OverlayLayer } from "./overlay";

const STEPS = 64;
const STOPS = 5;
const OPACITY = 0.54;
const UNKNOWN_OPACITY = 0.8; // opacity of the background over cells without the measure

export class MeasureColors implements OverlayLayer {
  private readonly image = document.createElement("canvas");
  private shown = false;

  constructor(private readonly store: Store) {}

  rebuild(scene: Scene, color: (name: string) => Color): void {
    const { level } = scene;
    const position = this.positions(scene);
    this.shown = position !== null;
    if (!position) return;
    const colors = colorScale(color);
    const image = new ImageData(level.size, level.size);
    for (let cell = 0; cell < level.cells; cell++) {
      if (!level.hasIcon(cell)) continue;
      const found = position(cell);
      const known = !Number.isNaN(found);
      const step = known ? Math.round(found * (STEPS - 1)) : -1;
      const pixel = [...(colors[step] ?? color("--background")), 255 * (known ? OPACITY : UNKNOWN_OPACITY)];
      image.data.set(pixel, 4 * (level.row(cell) * level.size + level.column(cell)));
    }
    [this.image.width, this.image.height] = [level.size, level.size];
    this.image.getContext("2d")?.putImageData(image, 0, 0);
  }

  /** Position of each cell in the color scale, 0..1, NaN if it is unknown; null if nothing colors the cells. */
  private positions({ level, channel }: Scene): ((cell: number) => number) | null {
    if (channel) return (cell) => positionBetween(channel, channel.value[cell] ?? Number.NaN);
    const kind = measureInfo(this.store.state.measure);
    const range = kind && measureRange(level, kind);
    return kind && range && ((cell) => positionInRange(range, kind, level.value(kind.column, cell)));
  }

  under(context: CanvasRenderingContext2D, { left, top, side }: Frame): void {
    if (this.shown) context.drawImage(this.image, left, top, side, side);
  }
}

/** Colors from the lowest to the highest value. */
function colorScale(color: (name: string) => Color): Color[] {
  const stops = Array.from({ length: STOPS }, (_, index) => color(`--measure-${index + 1}`));
  return colorRamp(stops, STEPS);
}

// Marks of cells to doubt: a ring for low fidelity, a triangle for low reliability, a half-filled disc for high spread.

const MIN_CELL = 14; // pixels; in smaller cells a mark would hide the icon
const SHARE = 0.085; // of a cell's side
const [MIN_RADIUS, MAX_RADIUS] = [2.5, 8];

interface MarkedCell {
  readonly row: number;
  readonly column: number;
  readonly why: readonly JudgedMeasure[];
}

interface Colors {
  readonly foreground: string;
  readonly background: string;
}

export class DoubtMarks implements OverlayLayer {
  private cells: MarkedCell[] = [];
  private size = 1;
  private colors: Colors = { foreground: "", background: "" };
  private readonly sprites = new Map<string, OffscreenCanvas>();

  constructor(
    private readonly verdict: Verdict,
    private readonly store: Store,
  ) {}

  rebuild({ level }: Scene, color: (name: string) => Color): void {
    this.cells = [];
    this.size = level.size;
    this.sprites.clear();
    this.colors = {
      foreground: cssColor(color("--foreground")),
      background: cssColor(color("--background")),
    };
    if (!this.store.state.marks) return;
    for (let cell = 0; cell < level.cells; cell++) {
      const doubts = level.hasIcon(cell) ? doubtsOf(this.verdict, level, cell) : [];
      const why = doubts.map(({ measure }) => measure);
      if (why.length) this.cells.push({ row: level.row(cell), column: level.column(cell), why });
    }
  }

  over(context: CanvasRenderingContext2D, { left, top, side }: Frame): void {
    const cell = side / this.size;
    if (cell < MIN_CELL) return;
    const { width, height } = context.canvas;
    const radius = Math.round(2 * Math.min(Math.max(SHARE * cell, MIN_RADIUS), MAX_RADIUS)) / 2;
    const inset = 0.09 * cell + radius;
    for (const { row, column, why } of this.cells) {
      let x = left + (column + 1) * cell - inset;
      const y = top + row * cell + inset;
      if (x < 0 || y < 0 || x - cell > width || y - cell > height) continue;
      for (const measure of why) {
        const sprite = this.sprite(measure, radius);
        const length = sprite.width / devicePixelRatio;
        context.drawImage(sprite, x - length / 2, y - length / 2, length, length);
        x -= 2.5 * radius;
      }
    }
  }

  private sprite(measure: JudgedMeasure, radius: number): OffscreenCanvas {
    const name = `${measure} ${radius} ${devicePixelRatio}`;
    let found = this.sprites.get(name);
    if (!found) {
      found = drawDoubtMark(measure, radius, this.colors);
      this.sprites.set(name, found);
    }
    return found;
  }
}

function drawDoubtMark(
  measure: JudgedMeasure,
  radius: number,
  { foreground, background }: Colors,
): OffscreenCanvas {
  const middle = radius + 2;
  const canvas = new OffscreenCanvas(2 * middle * devicePixelRatio, 2 * middle * devicePixelRatio);
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const arc = (length: number, from: number, to: number): void => {
    context.beginPath();
    context.arc(middle, middle, length, from, to);
  };
  context.scale(devicePixelRatio, devicePixelRatio);
  context.fillStyle = background;
  arc(radius + 1.5, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = context.strokeStyle = foreground;
  if (measure === "reliability") {
    context.beginPath();
    context.moveTo(middle, middle - radius);
    context.lineTo(middle + 0.9 * radius, middle + 0.7 * radius);
    context.lineTo(middle - 0.9 * radius, middle + 0.7 * radius);
    context.fill();
    return canvas;
  }
  context.lineWidth = Math.max(1, radius / 3);
  arc(radius - context.lineWidth / 2, 0, 2 * Math.PI);
  context.stroke();
  if (measure === "spread") {
    arc(radius, Math.PI / 2, 1.5 * Math.PI);
    context.fill();
  }
  return canvas;
}

function cssColor([red, green, blue]: Color): string {
  return `rgb(${red} ${green} ${blue})`;
}
