// Marks on the map: the cells that positions of the user's image fall in, with the number of positions.

import type { LocatedImage } from "../data/located-image";
import { type Frame, strokeCell } from "../map/frame";
import type { Overlay, OverlayLayer } from "../map/overlay";
import type { Scene } from "../state/scene";
import type { Color } from "../ui/colors";

const NUMBER_FROM = 44; // a cell's side, CSS pixels, from which the number fits in its corner
const FONT = "600 13px system-ui, sans-serif";
const [LEAST_DOT, LARGEST_DOT] = [1.5, 0.3]; // radius in smaller cells: CSS pixels, and share of a cell's side
const [THIN, THICK] = [1, 3]; // outline of a cell, CSS pixels
const MANY = 0.05; // share of the positions from which the outline is thick

export class CellMarks implements OverlayLayer {
  private image: LocatedImage | null = null;
  private colors = { mark: "", text: "", background: "" };

  constructor(private readonly overlay: Overlay) {
    overlay.add(this);
  }

  /** Name of the level whose cells are marked; null for none. */
  get level(): string | null {
    return this.image?.level.name ?? null;
  }

  show(image: LocatedImage | null): void {
    this.image = image;
    this.overlay.draw();
  }

  rebuild({ level }: Scene, color: (name: string) => Color): void {
    if (this.image && this.image.level.name !== level.name) this.image = null; // its cells are of another level
    const css = (name: string): string => `rgb(${color(name).join(" ")})`;
    this.colors = {
      mark: css("--own-image"),
      text: css("--own-image-text"),
      background: css("--background"),
    };
  }

  over(context: CanvasRenderingContext2D, frame: Frame): void {
    const { image } = this;
    if (!image) return;
    const { level, cells, positions } = image;
    const side = frame.side / level.size;
    const most = cells[0]?.positions.length ?? 1;
    for (const found of [...cells].reverse()) {
      const at = { size: level.size, row: level.row(found.cell), column: level.column(found.cell) };
      const [left, top] = [frame.left + at.column * side, frame.top + at.row * side];
      const share = found.positions.length / positions;
      const width = THIN + (THICK - THIN) * Math.min(1, share / MANY);
      strokeCell(context, frame, at, this.colors.mark, width, this.colors.background);
      if (side >= NUMBER_FROM) this.drawNumber(context, left + side, top, found.positions.length);
      else {
        const radius = LARGEST_DOT * side * Math.sqrt(found.positions.length / most);
        this.drawDot(context, left + side / 2, top + side / 2, Math.max(LEAST_DOT, radius));
      }
    }
  }

  /** The number in a pill at the upper right corner of a cell. */
  private drawNumber(context: CanvasRenderingContext2D, right: number, top: number, number: number): void {
    context.font = FONT;
    const width = Math.max(20, context.measureText(String(number)).width + 12);
    context.beginPath();
    context.roundRect(right - width - 1, top + 1, width, 20, 10);
    context.fillStyle = this.colors.mark;
    context.fill();
    context.fillStyle = this.colors.text;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(String(number), right - 1 - width / 2, top + 11.5);
  }

  /** A dot in the middle of a cell. */
  private drawDot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = this.colors.mark;
    context.fill();
    context.strokeStyle = this.colors.background;
    context.lineWidth = 1;
    context.stroke();
  }
}
