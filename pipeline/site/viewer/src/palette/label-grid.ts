// The grid of labels: squares that show the icons of their cells, painted by pointer or keyboard.

import { el } from "../ui/dom";
import type { Palette } from "./palette";

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export interface LabelGridOptions {
  icon(cell: number): HTMLElement;
  /** A cell in words. */
  name(cell: number): string;
  paint(row: number, column: number): void;
}

export class LabelGrid {
  readonly element = el("div", { class: "label-grid", role: "group" });
  private squares: HTMLButtonElement[][] = [];
  /** Square that the Tab key leads to. */
  private current: readonly [number, number] = [0, 0];
  private shown: Palette["labels"] = [];

  constructor(private readonly options: LabelGridOptions) {
    const { element } = this;
    element.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && event.buttons & 1) this.paintUnder(event);
    });
    element.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) this.paintUnder(event);
    });
    element.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [row, column] = this.current;
      this.moveTo(row + arrow[0], column + arrow[1]);
    });
  }

  /**
   * Show the labels. Squares are kept, and with them the focus.
   *
   * @param labels rows of numbers of cells.
   * @param same whether these are the same cells and icons as before.
   */
  show(labels: Palette["labels"], same: boolean): void {
    const columns = labels[0]?.length ?? 0;
    const sized = this.squares.length !== labels.length || this.squares[0]?.length !== columns;
    if (sized) this.build(labels.length, columns);
    labels.forEach((line, row) => {
      line.forEach((label, column) => {
        if (sized || !same || this.shown[row]?.[column] !== label) this.fill(row, column, label);
      });
    });
    this.shown = labels;
  }

  private build(rows: number, columns: number): void {
    this.squares = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (__, column) => this.createSquare(row, column)),
    );
    this.current = [Math.min(this.current[0], rows - 1), Math.min(this.current[1], columns - 1)];
    this.element.replaceChildren(...this.squares.flat());
    this.element.style.setProperty("--columns", String(columns));
    this.element.setAttribute(
      "aria-label",
      `Label grid of ${rows} × ${columns} squares; arrow keys move in it`,
    );
    this.moveTab();
  }

  private createSquare(row: number, column: number): HTMLButtonElement {
    const square = el("button", { type: "button", "data-row": row, "data-column": column });
    square.addEventListener("focus", () => {
      this.current = [row, column];
      this.moveTab();
    });
    square.addEventListener("click", () => this.options.paint(row, column));
    return square;
  }

  private fill(row: number, column: number, label: number): void {
    const square = this.squares[row]?.[column];
    const text = `Row ${row}, column ${column}: ${this.options.name(label)}`;
    square?.replaceChildren(this.options.icon(label));
    square?.setAttribute("aria-label", text);
    square?.setAttribute("title", text);
    square?.setAttribute("data-label", String(label));
  }

  /** While the button of a mouse is down, all squares that it passes are painted. */
  private paintUnder({ target }: PointerEvent): void {
    const square = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
    if (square) this.options.paint(Number(square.dataset.row), Number(square.dataset.column));
  }

  private moveTo(row: number, column: number): void {
    this.squares[row]?.[column]?.focus();
  }

  private moveTab(): void {
    const [row, column] = this.current;
    for (const square of this.squares.flat())
      square.tabIndex = square === this.squares[row]?.[column] ? 0 : -1;
  }
}
