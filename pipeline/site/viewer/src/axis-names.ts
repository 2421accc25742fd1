// The names at the ends of an axis, and between them what it measures.

import type { Strip } from "./axis";

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
