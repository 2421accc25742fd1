// The buttons that take up a tool to select with.

import { button, drawing } from "./dom";
import type { Tool } from "./region-drawn";

/** A rope: a loop that is being drawn, and its end. */
const LOOP =
  "M5.6 12.6C3.7 11.7 2.6 10.3 2.6 8.7c0-3 3.3-5.4 7.4-5.4s7.4 2.4 7.4 5.4-3.3 5.4-7.4 5.4c-1 0-2-.1-2.8-.4";
const END = "M5.6 12.6c1 .2 1.6.6 1.6 1.2 0 1.2-2.6.8-2.6 2 0 .9 1.3 1.3 2.6 1.3";

export function toolButtons(toggle: (tool: Tool) => void): Record<Tool, HTMLButtonElement> {
  const dashes = ["M3 5V3h2", "M8 3h2", "M13 3h2v2", "M15 8v1.5", "M3 8v2", "M3 13v2h2", "M8 15h1.5"];
  const box = drawing(...dashes, "M14.5 12v5", "M12 14.5h5");
  return {
    box: button("Select a region", box, () => toggle("box")),
    lasso: button("Select with the lasso", rope(), () => toggle("lasso")),
  };
}

/** The button that adds to what is selected. */
export function addButton(add: () => void): HTMLButtonElement {
  return button("Add to the region with the lasso", rope("M16.6 13.5v5", "M14.1 16h5"), add, "quiet add");
}

function rope(...others: readonly string[]): SVGSVGElement {
  const made = drawing(LOOP, END, ...others);
  made.firstElementChild?.setAttribute("stroke-dasharray", "2.4 2.3");
  return made;
}
