// A drag on the picture that draws instead of moving it, with mouse, pen or one finger.

import type { Picture } from "./picture";
import type { Vertex } from "./region-outline";

export interface Drag<Tool> {
  readonly tool: Tool;
  /** Shift was held when it began. */
  readonly shift: boolean;
  /** Where it went, in shares of the atlas. */
  readonly trail: Vertex[];
}

export interface DragActions<Tool> {
  /** What a drag draws that begins now; null to let it move the picture. */
  begins(shift: boolean): Tool | null;
  moves(drag: Drag<Tool>): void;
  ends(drag: Drag<Tool>): void;
  drops(): void;
}

const NEAR = 2; // CSS pixels

/** Call the result to give up what is being drawn; it says whether anything was. */
export function listenToDrag<Tool>(picture: Picture, actions: DragActions<Tool>): () => boolean {
  const { viewer } = picture;
  let drag: Drag<Tool> | null = null;
  let spent = false; // given up, but the button is still held: the picture stays where it is
  const at = ({ x, y }: Vertex): Vertex => {
    const { left, top, side } = picture.frame();
    return { x: (x - left) / side, y: (y - top) / side };
  };
  const extend = ({ trail }: Drag<Tool>, to: Vertex): void => {
    const last = trail.at(-1) ?? to;
    const near = NEAR / picture.frame().side;
    if (Math.hypot(to.x - last.x, to.y - last.y) >= near) trail.push(to);
  };
  viewer.addHandler("canvas-press", ({ position, originalEvent }) => {
    const shift = (originalEvent as PointerEvent).shiftKey;
    const tool = actions.begins(shift);
    spent = false;
    drag = tool === null ? null : { tool, shift, trail: [at(position)] };
  });
  viewer.addHandler("canvas-drag", (event) => {
    if (drag || spent) event.preventDefaultAction = true;
    if (!drag) return;
    extend(drag, at(event.position));
    actions.moves(drag);
  });
  viewer.addHandler("canvas-drag-end", (event) => {
    if (drag || spent) (event as { preventDefaultAction?: boolean }).preventDefaultAction = true;
    if (!drag) return;
    const done = drag;
    drag = null;
    actions.ends(done);
  });
  viewer.addHandler("canvas-pinch", () => {
    if (drag) actions.drops();
    drag = null;
  });
  return () => {
    const drawing = drag !== null && drag.trail.length > 1; // a mere click leaves one place behind
    if (drag) actions.drops();
    spent = drag !== null;
    drag = null;
    return drawing;
  };
}
