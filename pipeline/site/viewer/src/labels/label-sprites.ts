// Rendering of labels: measured once, drawn once with a halo, then copied.

import { CELL, type Label } from "./label-candidates";
import type { LayoutItem } from "./label-layout";

/** A label with its text size. */
export interface SizedLabel extends LayoutItem {
  readonly style: Style;
}

export interface Style {
  readonly font: string;
  /** Font size, pixels. */
  readonly size: number;
}

export interface LabelColors {
  readonly foreground: string;
  readonly background: string;
  readonly serif: string;
  readonly sans: string;
}

const SIZES = [26, 22.5, 19.5, 17, 15, 14, 13]; // by rank
export const HALO = 7;
const WIDTH_RATIO = 1.05; // minimum extent of the labeled area, relative to the label's width
const MIN_REGION = 84; // minimum extent of a labeled region, pixels
const MIN_CELL = 64; // minimum side of a labeled cell, pixels; by zoom only cells of the finest level get that large
const MIN_FONT_SIZE = 13;
const MAX_EXTENT = 1700; // maximum extent of a labeled area, pixels: beyond it fills the screen

export class LabelRenderer {
  private readonly context = new OffscreenCanvas(1, 1).getContext("2d");
  private readonly widths = new Map<string, number>();
  private readonly sprites = new Map<string, OffscreenCanvas>();
  private labelColors: LabelColors = { foreground: "", background: "", serif: "", sans: "" };

  /** Set the colors of the labels. */
  setColors(labelColors: LabelColors): void {
    if (
      Object.entries(labelColors).every(
        ([name, value]) => this.labelColors[name as keyof LabelColors] === value,
      )
    )
      return;
    this.labelColors = labelColors;
    this.sprites.clear();
  }

  /** Label with its size; `scale` reduces all labels in a small window. */
  sizeLabel({ text, x, y, rank, extent }: Label, scale: number): SizedLabel {
    const style = this.style(rank, scale);
    const width = this.width(text, style);
    const minExtent =
      rank === CELL ? Math.max(MIN_CELL, 0.7 * width) : Math.max(MIN_REGION * scale, WIDTH_RATIO * width);
    const height = 1.2 * style.size;
    const bounds = { from: minExtent / extent, until: MAX_EXTENT / extent, rank };
    return { style, text, x, y, width, height, ...bounds };
  }

  /** Sprite of the label with its halo; HALO pixels larger than the label on every side. */
  sprite({ text, style, width, height }: SizedLabel): OffscreenCanvas {
    const name = `${style.font} ${devicePixelRatio} ${text}`;
    let found = this.sprites.get(name);
    if (!found) {
      found = this.drawSprite(text, style, width + 2 * HALO, height + 2 * HALO);
      this.sprites.set(name, found);
    }
    return found;
  }

  private style(rank: number, scale: number): Style {
    const size = Math.max((SIZES[rank] ?? 0) * scale, MIN_FONT_SIZE);
    return rank === CELL
      ? { font: `500 ${size}px ${this.labelColors.sans}`, size }
      : { font: `500 ${size}px ${this.labelColors.serif}`, size };
  }

  private width(text: string, { font }: Style): number {
    const name = `${font} ${text}`;
    let found = this.widths.get(name);
    if (found === undefined && this.context) {
      this.context.font = font;
      found = this.context.measureText(text).width;
      this.widths.set(name, found);
    }
    return found ?? 0;
  }

  private drawSprite(text: string, { font, size }: Style, width: number, height: number): OffscreenCanvas {
    const canvas = new OffscreenCanvas(
      Math.ceil(width * devicePixelRatio),
      Math.ceil(height * devicePixelRatio),
    );
    const context = canvas.getContext("2d");
    if (!context) return canvas;
    context.scale(devicePixelRatio, devicePixelRatio);
    context.font = font;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = context.shadowColor = this.labelColors.background;
    context.shadowBlur = 5 * devicePixelRatio;
    context.lineWidth = 2.5 + size / 9;
    const [x, y] = [width / 2, height / 2 + 0.04 * size];
    for (let layer = 0; layer < 2; layer++) context.strokeText(text, x, y);
    context.shadowColor = "transparent";
    context.fillStyle = this.labelColors.foreground;
    context.fillText(text, x, y);
    return canvas;
  }
}

/** Side of the whole atlas at which labels of a level's cells appear, pixels. */
export function minSideForCellLabels(size: number): number {
  return MIN_CELL * size;
}
