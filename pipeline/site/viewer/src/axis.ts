// The axis of a comparison: how much more a place speaks for the right class than for the left one. It moves with the
// picture and stays at the foot of the window where the picture reaches further down.

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

const HEIGHT = 54;
const GAP = 9;
const TICK_ROOM = 68;
const NAME_ROOM = 96;

export function drawAxis(
  context: CanvasRenderingContext2D,
  frame: Frame,
  size: { readonly width: number; readonly height: number },
  labels: AxisLabels,
  colours: AxisColours,
  clearance: Clearance,
): void {
  const top = Math.min(frame.top + frame.side + GAP, size.height - clearance.bottom - HEIGHT);
  const from = Math.max(frame.left, clearance.left);
  const to = Math.min(frame.left + frame.side, size.width - clearance.right);
  context.save();
  drawZero(context, frame, top, colours);
  if (to - from > NAME_ROOM) {
    drawBand(context, from, to, top, frame, colours);
    drawTicks(context, frame, from, to, top, labels.scale, colours);
    drawNames(context, from, to, top, labels, colours);
  }
  context.restore();
}

function drawZero(
  context: CanvasRenderingContext2D,
  frame: Frame,
  bottom: number,
  { ink, paper }: AxisColours,
): void {
  const x = Math.round(frame.left + frame.side / 2) + 0.5;
  for (const [colour, width, alpha] of [
    [paper, 3, 0.55],
    [ink, 1, 0.5],
  ] as const) {
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    line(context, x, frame.top, x, bottom);
  }
  context.globalAlpha = 1;
}

/** Paper under the axis, so that it reads over icons too; its line has the colour of the class that each half favours. */
function drawBand(
  context: CanvasRenderingContext2D,
  from: number,
  to: number,
  top: number,
  frame: Frame,
  colours: AxisColours,
): void {
  context.globalAlpha = 0.92;
  context.fillStyle = colours.paper;
  context.beginPath();
  context.roundRect(from - 12, top - 7, to - from + 24, HEIGHT + 5, 12);
  context.fill();
  context.globalAlpha = 1;
  const middle = Math.min(Math.max(frame.left + frame.side / 2, from), to);
  context.lineWidth = 2;
  context.strokeStyle = colours.left;
  line(context, from, top, middle, top);
  context.strokeStyle = colours.right;
  line(context, middle, top, to, top);
}

function drawTicks(
  context: CanvasRenderingContext2D,
  frame: Frame,
  from: number,
  to: number,
  top: number,
  scale: number,
  colours: AxisColours,
): void {
  const pixels = frame.side / (2 * scale); // for each logit
  const step = tickStep(TICK_ROOM / pixels);
  const zero = frame.left + frame.side / 2;
  context.strokeStyle = colours.soft;
  context.fillStyle = colours.soft;
  context.lineWidth = 1;
  context.font = `11.5px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  const last = Math.floor((to - zero) / pixels / step + 1e-6);
  for (let tick = Math.ceil((from - zero) / pixels / step - 1e-6); tick <= last; tick++) {
    const x = Math.round(zero + tick * step * pixels) + 0.5;
    line(context, x, top, x, top + 5);
    const text = tickText(tick * step, step);
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(Math.max(x, from + half - 8), to - half + 8), top + 8);
  }
}

function drawNames(
  context: CanvasRenderingContext2D,
  from: number,
  to: number,
  top: number,
  labels: AxisLabels,
  colours: AxisColours,
): void {
  const room = (to - from) / 2 - 8;
  const y = top + 25;
  context.font = `600 13.5px ${colours.font}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillStyle = colours.left;
  const left = shortened(context, `← ${labels.left}`, room);
  context.fillText(left, from, y);
  context.textAlign = "right";
  context.fillStyle = colours.right;
  const right = shortened(context, `${labels.right} →`, room, "→");
  context.fillText(right, to, y);
  const [leftEnd, rightEnd] = [from + context.measureText(left).width, to - context.measureText(right).width];
  context.font = `11.5px ${colours.font}`;
  context.textAlign = "center";
  context.fillStyle = colours.soft;
  const middle = (from + to) / 2;
  for (const text of ["difference of attributions, logit", "logit"]) {
    const half = context.measureText(text).width / 2 + 14;
    if (middle - half < leftEnd || middle + half > rightEnd) continue;
    context.fillText(text, middle, y + 1.5);
    return;
  }
}

/** A text cut off so that it fits; an arrow at its end stays. */
function shortened(context: CanvasRenderingContext2D, text: string, room: number, arrow = ""): string {
  if (context.measureText(text).width <= room) return text;
  const name = arrow ? text.slice(0, -arrow.length - 1) : text;
  const end = arrow ? `… ${arrow}` : "…";
  let length = name.length;
  while (length > 1 && context.measureText(name.slice(0, length) + end).width > room) length--;
  return name.slice(0, length).trimEnd() + end;
}

/** The smallest of 1, 2, 5, 10, 20, … that is at least `least`. */
export function tickStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power || 1;
}

function tickText(value: number, step: number): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (Math.abs(value) < step / 2) return "0";
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(decimals)}`;
}

function line(context: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}
