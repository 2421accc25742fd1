// The buttons that take up a tool to select with.

import { button, drawing } from "./dom";
import type { Tool } from "./region-drawn";

export function toolButtons(toggle: (tool: Tool) => void): Record<Tool, HTMLButtonElement> {
  const dashes = ["M3 5V3h2", "M8 3h2", "M13 3h2v2", "M15 8v1.5", "M3 8v2", "M3 13v2h2", "M8 15h1.5"];
  const box = drawing(...dashes, "M14.5 12v5", "M12 14.5h5");
  const rope =
    "M6.4 13.4C4.1 12.6 2.6 11 2.6 9c0-3.3 3.3-5.9 7.4-5.9s7.4 2.6 7.4 5.9-3.3 5.6-7.4 5.6c-.6 0-1.1 0-1.6-.1";
  const knot = "M8.4 14.3a1.5 1.5 0 1 1-2.9-.5 1.5 1.5 0 0 1 2.9.5Z";
  const lasso = drawing(rope, knot, "M7 15.8c0 1-.7 1.6-1.8 1.7");
  return {
    box: button("Select a region", box, () => toggle("box")),
    lasso: button("Select with the lasso", lasso, () => toggle("lasso")),
  };
}
