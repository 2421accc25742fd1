// Axis of a comparison: difference of the attributions to the right and the left class. It moves with the map and stays
// at the bottom of the window if the map extends below it.

import type { Frame } from "./frame";

export interface AxisLabels {
  readonly left: string;
  readonly right: string;
  /** Difference of attributions at the right edge, in logits. */
  readonly scale: number;
}

/** Space that the axis must avoid, CSS pixels from the edges of the canvas. */
export interface Clearance {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

export interface AxisColors {
  readonly foreground: string;
  readonly muted: string;
  readonly background: string;
  readonly left: string;
  readonly right: string;
  readonly font: string;
}

/** Position and style of the axis; CSS pixels of the canvas. */
export interface AxisGeometry {
  readonly context: CanvasRenderingContext2D;
  readonly colors: AxisColors;
  readonly labels: AxisLabels;
  /** Horizontal extent of its line. */
  readonly from: number;
  readonly to: number;
  readonly top: number;
  /** Position of zero, and length of one logit. */
  readonly zero: number;
  readonly logit: number;
}

const HEIGHT = 54;
const GAP = 9;
const MIN_WIDTH = 96;

export function drawAxis(
  context: CanvasRenderingContext2D,
  frame: Frame,
  size: { readonly width: number; readonly height: number },
  labels: AxisLabels,
  colors: AxisColors,
  clearance: Clearance,
): void {
  const { left, side } = frame;
  const axis = {
    context,
    colors,
    labels,
    from: Math.max(left, clearance.left),
    to: Math.min(left + side, size.width - clearance.right),
    top: Math.min(frame.top + side + GAP, size.height - clearance.bottom - HEIGHT),
    zero: left + side / 2,
    logit: side / (2 * labels.scale),
  };
  context.save();
  drawZero(axis, frame.top);
  if (axis.to - axis.from > MIN_WIDTH) {
    drawLine(axis);
    drawTicks(axis);
    drawClassNames(axis);
  }
  context.restore();
}

/** Faint vertical line at zero across the map. */
function drawZero({ context, colors, zero, top }: AxisGeometry, from: number): void {
  const x = Math.round(zero) + 0.5;
  for (const [color, width, alpha] of [
    [colors.background, 3, 0.55],
    [colors.foreground, 1, 0.5],
  ] as const) {
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = width;
    drawSegment(context, x, from, x, top);
  }
  context.globalAlpha = 1;
}

/** Axis line, each half in the color of its class, on a background so that it is legible over icons. */
function drawLine({ context, colors, from, to, top, zero }: AxisGeometry): void {
  context.globalAlpha = 0.92;
  context.fillStyle = colors.background;
  context.beginPath();
  context.roundRect(from - 12, top - 7, to - from + 24, HEIGHT + 5, 12);
  context.fill();
  context.globalAlpha = 1;
  const middle = Math.min(Math.max(zero, from), to);
  context.lineWidth = 2;
  context.strokeStyle = colors.left;
  drawSegment(context, from, top, middle, top);
  context.strokeStyle = colors.right;
  drawSegment(context, middle, top, to, top);
}

// Ticks with their logits.

const MIN_TICK_DISTANCE = 68; // minimum distance of ticks, pixels
const TICK_LENGTH = 5;
const OVERHANG = 8; // pixels by which a tick label may extend beyond the axis

export function drawTicks({ context, colors, from, to, top, zero, logit }: AxisGeometry): void {
  const step = tickStep(MIN_TICK_DISTANCE / logit);
  context.strokeStyle = colors.muted;
  context.fillStyle = colors.muted;
  context.lineWidth = 1;
  context.font = `11.5px ${colors.font}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  const last = Math.floor((to - zero) / logit / step + 1e-6);
  for (let tick = Math.ceil((from - zero) / logit / step - 1e-6); tick <= last; tick++) {
    const x = Math.round(zero + tick * step * logit) + 0.5;
    drawSegment(context, x, top, x, top + TICK_LENGTH);
    const text = formatTick(tick * step, step);
    const half = context.measureText(text).width / 2 - OVERHANG;
    context.fillText(text, Math.min(Math.max(x, from + half), to - half), top + TICK_LENGTH + 3);
  }
}

/** The smallest of 1, 2, 5, 10, 20, … and their tenths that is at least `least`. */
function tickStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

function formatTick(value: number, step: number): string {
  if (Math.abs(value) < step / 2) return "0";
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(decimals)}`;
}

export function drawSegment(
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

// Class names at the ends of the axis, and its unit between them.

const TEXT_OFFSET = 25; // pixels below the line
const MEASURES = ["difference of attributions, logit", "logit"];

export function drawClassNames({ context, colors, labels, from, to, top }: AxisGeometry): void {
  const room = (to - from) / 2 - 8;
  const y = top + TEXT_OFFSET;
  context.font = `600 13.5px ${colors.font}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillStyle = colors.left;
  const left = truncate(context, "← ", labels.left, "", room);
  context.fillText(left.text, from, y);
  context.textAlign = "right";
  context.fillStyle = colors.right;
  const right = truncate(context, "", labels.right, " →", room);
  context.fillText(right.text, to, y);
  context.font = `11.5px ${colors.font}`;
  context.textAlign = "center";
  context.fillStyle = colors.muted;
  const middle = (from + to) / 2;
  const free = (to - from) / 2 - Math.max(left.width, right.width) - 14;
  const measure = MEASURES.find((text) => context.measureText(text).width / 2 <= free);
  if (measure) context.fillText(measure, middle, y + 1.5);
}

/** Name between a prefix and a suffix, truncated to fit. */
function truncate(
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
