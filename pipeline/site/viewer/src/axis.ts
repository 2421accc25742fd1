// The axis of a comparison: how much more a place speaks for the right class than for the left one. It moves with the
// picture and stays at the foot of the window where the picture reaches further down.

import { drawNames } from "./axis-names";
import { drawTicks, line } from "./axis-ticks";
import type { Frame } from "./picture";

export interface AxisLabels {
  readonly left: string;
  readonly right: string;
  /** The difference of attributions that the right edge stands for, logit. */
  readonly scale: number;
}

/** What the axis has to keep clear of, CSS pixels from the edges of the canvas. */
export interface Clearance {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

export interface AxisColours {
  readonly ink: string;
  readonly soft: string;
  readonly paper: string;
  readonly left: string;
  readonly right: string;
  readonly font: string;
}

/** Where the axis is drawn, and how; CSS pixels of the canvas. */
export interface Strip {
  readonly context: CanvasRenderingContext2D;
  readonly colours: AxisColours;
  readonly labels: AxisLabels;
  /** Its line. */
  readonly from: number;
  readonly to: number;
  readonly top: number;
  /** Where the difference is zero, and the length of a logit. */
  readonly zero: number;
  readonly logit: number;
}

const HEIGHT = 54;
const GAP = 9;
const LEAST_WIDTH = 96;

export function drawAxis(
  context: CanvasRenderingContext2D,
  frame: Frame,
  size: { readonly width: number; readonly height: number },
  labels: AxisLabels,
  colours: AxisColours,
  clearance: Clearance,
): void {
  const { left, side } = frame;
  const strip = {
    context,
    colours,
    labels,
    from: Math.max(left, clearance.left),
    to: Math.min(left + side, size.width - clearance.right),
    top: Math.min(frame.top + side + GAP, size.height - clearance.bottom - HEIGHT),
    zero: left + side / 2,
    logit: side / (2 * labels.scale),
  };
  context.save();
  drawZero(strip, frame.top);
  if (strip.to - strip.from > LEAST_WIDTH) {
    drawLine(strip);
    drawTicks(strip);
    drawNames(strip);
  }
  context.restore();
}

/** A faint line up through the picture. */
function drawZero({ context, colours, zero, top }: Strip, from: number): void {
  const x = Math.round(zero) + 0.5;
  for (const [colour, width, alpha] of [
    [colours.paper, 3, 0.55],
    [colours.ink, 1, 0.5],
  ] as const) {
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    line(context, x, from, x, top);
  }
  context.globalAlpha = 1;
}

/** The line, each half in the colour of the class that it favours, on paper so that it reads over icons too. */
function drawLine({ context, colours, from, to, top, zero }: Strip): void {
  context.globalAlpha = 0.92;
  context.fillStyle = colours.paper;
  context.beginPath();
  context.roundRect(from - 12, top - 7, to - from + 24, HEIGHT + 5, 12);
  context.fill();
  context.globalAlpha = 1;
  const middle = Math.min(Math.max(zero, from), to);
  context.lineWidth = 2;
  context.strokeStyle = colours.left;
  line(context, from, top, middle, top);
  context.strokeStyle = colours.right;
  line(context, middle, top, to, top);
}
