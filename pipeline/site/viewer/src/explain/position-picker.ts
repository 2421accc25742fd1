// A picture with the positions of a layer's map: one can be chosen by pointer, touch or keyboard.

import { el } from "../ui/dom";

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export interface PositionPickerOptions {
  readonly src: string;
  readonly alt: string;
  /** Rows and columns of positions. */
  readonly size: readonly [number, number];
  /** What is said of a position when it is pointed at, by its number row by row. */
  describe(position: number): string;
  choose(position: number): void;
}

/** The picture, and a line below it that describes the position pointed at. */
export function createPositionPicker(options: PositionPickerOptions): HTMLElement {
  const [rows, columns] = options.size;
  const mark = el("span", { class: "mark", hidden: "" });
  const status = el("p", { class: "secondary status", "aria-live": "polite" }, "\u00a0");
  const picture = el(
    "div",
    {
      class: "positions",
      role: "application",
      tabindex: "0",
      "aria-label": `${options.alt}. Arrow keys move from position to position, Enter shows its cell in the atlas.`,
    },
    el("img", { src: options.src, alt: "", draggable: "false", loading: "lazy" }),
    mark,
  );
  let pointed = -1;

  const point = (position: number): void => {
    if (position === pointed) return;
    pointed = position;
    mark.hidden = position < 0;
    status.textContent = position < 0 ? "\u00a0" : options.describe(position);
    if (position < 0) return;
    const [row, column] = [Math.floor(position / columns), position % columns];
    Object.assign(mark.style, {
      top: `${(100 * row) / rows}%`,
      left: `${(100 * column) / columns}%`,
      height: `${100 / rows}%`,
      width: `${100 / columns}%`,
    });
  };
  const under = ({ clientX, clientY }: MouseEvent): number => {
    const { left, top, width, height } = picture.getBoundingClientRect();
    const [row, column] = [
      Math.floor(((clientY - top) / height) * rows),
      Math.floor(((clientX - left) / width) * columns),
    ];
    return row >= 0 && row < rows && column >= 0 && column < columns ? row * columns + column : -1;
  };

  /** Move the keyboard cursor; the first key puts it in the middle. */
  const step = (down: number, across: number): void => {
    const row = pointed < 0 ? Math.floor(rows / 2) : Math.floor(pointed / columns) + down;
    const column = pointed < 0 ? Math.floor(columns / 2) : (pointed % columns) + across;
    if (row >= 0 && row < rows && column >= 0 && column < columns) point(row * columns + column);
  };

  picture.addEventListener("pointermove", (event) => point(under(event)));
  picture.addEventListener("pointerleave", () => point(-1));
  picture.addEventListener("blur", () => point(-1));
  picture.addEventListener("click", (event) => {
    const position = under(event);
    if (position >= 0) options.choose(position);
  });
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) step(...arrow);
    else if (event.key === "Enter" && pointed >= 0) options.choose(pointed);
    else return;
    event.preventDefault();
  });
  return el("div", {}, picture, status);
}
