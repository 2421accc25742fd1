// The ticks of an axis with their logits.

import type { Strip } from "./axis";

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
