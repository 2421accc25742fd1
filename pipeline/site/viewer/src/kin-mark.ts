// The marks of the cells that hold another picture's samples: the more of them, the stronger.

import { outline } from "./cell-outline";
import type { Kin } from "./kin";
import type { Frame } from "./picture";

const FAINTEST = 0.4;

export function drawKin(
  context: CanvasRenderingContext2D,
  frame: Frame,
  kin: readonly Kin[],
  { ink, paper }: { readonly ink: string; readonly paper: string },
): void {
  const most = Math.max(...kin.map(({ share }) => share));
  context.save();
  for (const { cell, share } of [...kin].reverse()) {
    context.globalAlpha = FAINTEST + (1 - FAINTEST) * (share / most);
    outline(context, frame, cell, ink, 2, paper);
  }
  context.restore();
}
