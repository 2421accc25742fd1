// What a screen reader is told when something changes.

import { el } from "./dom";

const region = el("div", { class: "unseen", role: "status", "aria-live": "polite" });

/** The region to put on the page. */
export function announcements(): HTMLElement {
  return region;
}

export function announce(text: string): void {
  if (region.textContent !== text) region.textContent = text;
}
