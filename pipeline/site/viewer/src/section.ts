// A titled part of a panel.

import { el } from "./dom";

export function section(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return el("div", { class: "section" }, el("h3", {}, title), ...content);
}
