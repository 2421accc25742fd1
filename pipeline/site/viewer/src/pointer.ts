// The pointer over the picture: which cell it is on, and which cell it pins.

import type { Picture } from "./picture";
import type { Scene } from "./scene";

export interface PointerActions {
  hover(cell: number, x: number, y: number): void;
  leave(): void;
  click(cell: number): void;
}

export function listenToPointer(picture: Picture, scene: () => Scene | null, actions: PointerActions): void {
  const { canvas } = picture.viewer;
  const cellAt = (x: number, y: number): number => {
    const now = scene();
    if (!now) return -1;
    const { left, top, side } = picture.frame();
    return now.level.at(
      Math.floor(((y - top) / side) * now.level.size),
      Math.floor(((x - left) / side) * now.level.size),
    );
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons) return;
    const { left, top } = canvas.getBoundingClientRect();
    const cell = cellAt(event.clientX - left, event.clientY - top);
    if (cell < 0) actions.leave();
    else actions.hover(cell, event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", actions.leave);
  canvas.addEventListener("pointerdown", actions.leave);
  picture.viewer.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const cell = cellAt(event.position.x, event.position.y);
    if (cell >= 0) actions.click(cell);
  });
}
