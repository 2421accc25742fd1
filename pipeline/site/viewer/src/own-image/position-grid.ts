// The user's image as the network sees it, with the grid of the layer's positions over it.

import type { LocatedImage } from "../data/located-image";
import { el } from "../ui/dom";

const SHADE = "rgb(0 0 0 / 58%)"; // over positions of other cells than the marked one
const LEFT_OUT = "rgb(0 0 0 / 45%)";
const LINE = "rgb(255 255 255 / 16%)";
const MIN_FOR_LINES = 9; // side of a position, CSS pixels

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export interface PositionActions {
  /** A position is pointed at, or -1 none; `byKey` with the keyboard. */
  point(position: number, byKey: boolean): void;
  choose(position: number): void;
}

export class PositionGrid {
  readonly element: HTMLElement;
  private readonly canvas = el("canvas", {});
  private readonly resizeObserver = new ResizeObserver(() => this.draw());
  /** Position at the pointer or the keyboard cursor; -1 for none. */
  private pointed = -1;
  private markedCell = -1;

  constructor(
    private readonly image: LocatedImage,
    private readonly actions: PositionActions,
  ) {
    const label =
      `Your image with the ${image.rows} × ${image.columns} positions of the layer. ` +
      "Arrow keys move from position to position, Enter pins the cell of a position.";
    this.element = el(
      "div",
      { class: "positions", role: "application", tabindex: "0", "aria-label": label },
      el("img", { src: image.picture, alt: "", draggable: "false" }),
      this.canvas,
    );
    this.resizeObserver.observe(this.element);
    this.listen();
  }

  /** Whether a position is pointed at. */
  get isPointedAt(): boolean {
    return this.pointed >= 0;
  }

  /** Mark the positions that fall in a cell; -1 for none. */
  mark(cell: number): void {
    if (cell !== this.image.cellAt(this.pointed)) this.pointed = -1;
    this.markedCell = cell;
    this.draw();
  }

  private listen(): void {
    const { element } = this;
    element.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") this.point(this.positionUnder(event), false);
    });
    element.addEventListener("pointerleave", () => this.point(-1, false));
    element.addEventListener("click", (event) => {
      const position = this.positionUnder(event);
      if (position >= 0) this.actions.choose(position);
    });
    element.addEventListener("blur", () => this.point(-1, true));
    element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const arrow = ARROWS[event.key];
      if (arrow) this.step(...arrow);
      else if (event.key === "Enter" && this.pointed >= 0) this.actions.choose(this.pointed);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  private positionUnder({ clientX, clientY }: MouseEvent): number {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const row = Math.floor(((clientY - top) / height) * this.image.rows);
    const column = Math.floor(((clientX - left) / width) * this.image.columns);
    return this.image.positionAt(row, column);
  }

  /** Move the keyboard cursor; the first key puts it in the middle. */
  private step(rows: number, columns: number): void {
    const { image } = this;
    if (this.pointed < 0) {
      this.point(image.positionAt(Math.floor(image.rows / 2), Math.floor(image.columns / 2)), true);
      return;
    }
    const { row, column } = image.placeOf(this.pointed);
    const next = image.positionAt(row + rows, column + columns);
    if (next >= 0) this.point(next, true);
  }

  private point(position: number, byKey: boolean): void {
    if (position === this.pointed) return;
    this.pointed = position;
    this.actions.point(position, byKey);
    this.draw();
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    const context = this.canvas.getContext("2d");
    if (!context || !width) return;
    [this.canvas.width, this.canvas.height] = [width * devicePixelRatio, height * devicePixelRatio];
    context.scale(devicePixelRatio, devicePixelRatio);
    const [across, down] = [width / this.image.columns, height / this.image.rows];
    this.shade(context, across, down);
    if (across >= MIN_FOR_LINES) this.drawLines(context, across, down);
    this.drawPointed(context, across, down);
  }

  /** Darken what is left out, and what does not fall in the marked cell. */
  private shade(context: CanvasRenderingContext2D, across: number, down: number): void {
    const { image, markedCell } = this;
    const isFound = image.cells.some(({ cell }) => cell === markedCell);
    for (let row = 0; row < image.rows; row++) {
      for (let column = 0; column < image.columns; column++) {
        const position = image.positionAt(row, column);
        if (position >= 0 && (!isFound || image.cellAt(position) === markedCell)) continue;
        context.fillStyle = isFound ? SHADE : LEFT_OUT;
        context.fillRect(column * across, row * down, across, down);
      }
    }
  }

  private drawLines(context: CanvasRenderingContext2D, across: number, down: number): void {
    const { rows, columns } = this.image;
    context.fillStyle = LINE;
    for (let row = 1; row < rows; row++) context.fillRect(0, Math.round(row * down), columns * across, 1);
    for (let column = 1; column < columns; column++)
      context.fillRect(Math.round(column * across), 0, 1, rows * down);
  }

  private drawPointed(context: CanvasRenderingContext2D, across: number, down: number): void {
    if (this.pointed < 0) return;
    const { row, column } = this.image.placeOf(this.pointed);
    for (const [color, width] of [
      ["#000", 4],
      ["#fff", 2],
    ] as const) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.strokeRect(column * across, row * down, across, down);
    }
  }
}
