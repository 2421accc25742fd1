// The axis of a comparison: how much more a place speaks for the right class than for the left one. It moves with the
// picture and stays at the foot of the window where the picture reaches further down.

import type { Frame } from "./frame";

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

// The ticks of an axis with their logits.

const ROOM = 68; // pixels from tick to tick at least
const LENGTH = 5;
const OVERHANG = 8; // pixels by which a number may stand beyond the axis

export function drawTicks({ context, colours, from, to, top, zero, logit }: Strip): void {
  const step = tickStep(ROOM / logit);
  context.strokeStyle = colours.soft;
  context.fillStyle = colours.soft;
  context.lineWidth = 1;
  context.font = `11.5px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  const last = Math.floor((to - zero) / logit / step + 1e-6);
  for (let tick = Math.ceil((from - zero) / logit / step - 1e-6); tick <= last; tick++) {
    const x = Math.round(zero + tick * step * logit) + 0.5;
    line(context, x, top, x, top + LENGTH);
    const text = tickText(tick * step, step);
    const half = context.measureText(text).width / 2 - OVERHANG;
    context.fillText(text, Math.min(Math.max(x, from + half), to - half), top + LENGTH + 3);
  }
}

/** The smallest of 1, 2, 5, 10, 20, … and their tenths that is at least `least`. */
function tickStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

function tickText(value: number, step: number): string {
  if (Math.abs(value) < step / 2) return "0";
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(decimals)}`;
}

export function line(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  toX: number,
  toY: number,
): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}

// The names at the ends of an axis, and between them what it measures.

const BELOW = 25; // pixels under the line
const MEASURES = ["difference of attributions, logit", "logit"];

export function drawNames({ context, colours, labels, from, to, top }: Strip): void {
  const room = (to - from) / 2 - 8;
  const y = top + BELOW;
  context.font = `600 13.5px ${colours.font}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillStyle = colours.left;
  const left = shortened(context, "← ", labels.left, "", room);
  context.fillText(left.text, from, y);
  context.textAlign = "right";
  context.fillStyle = colours.right;
  const right = shortened(context, "", labels.right, " →", room);
  context.fillText(right.text, to, y);
  context.font = `11.5px ${colours.font}`;
  context.textAlign = "center";
  context.fillStyle = colours.soft;
  const middle = (from + to) / 2;
  const free = (to - from) / 2 - Math.max(left.width, right.width) - 14;
  const measure = MEASURES.find((text) => context.measureText(text).width / 2 <= free);
  if (measure) context.fillText(measure, middle, y + 1.5);
}

/** A name between two marks, cut off where it does not fit. */
function shortened(
  context: CanvasRenderingContext2D,
  before: string,
  name: string,
  after: string,
  room: number,
): { text: string; width: number } {
  let text = before + name + after;
  let width = context.measureText(text).width;
  for (let length = name.length - 1; length > 0 && width > room; length--) {
    text = `${before + name.slice(0, length).trimEnd()}…${after}`;
    width = context.measureText(text).width;
  }
  return { text, width };
}
