// What a screen reader is told when something changes.

import { el } from "./dom";

const liveRegion = el("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });

/** The region to put on the page. */
export function announcementRegion(): HTMLElement {
  return liveRegion;
}

export function announce(text: string): void {
  if (liveRegion.textContent !== text) liveRegion.textContent = text;
}

// The focus stays on something that is there: when a choice replaces or closes what holds it, it goes to the same
// control where that is still offered, else to the picture.

export function keepFocus(picture: HTMLElement): void {
  let lastFocused: HTMLElement | null = null;
  document.addEventListener("focusin", ({ target }) => {
    lastFocused = target instanceof HTMLElement ? target : null;
  });
  document.addEventListener("pointerdown", () => {
    lastFocused = null; // whoever points does not wait for the focus
  });
  const restoreFocus = (): void => {
    if (!document.hasFocus()) return; // people are in another window or frame
    if (!lastFocused || isFocusable(document.activeElement) || document.querySelector("dialog[open]")) return;
    const next = isFocusable(lastFocused) ? picture : (twin(lastFocused) ?? picture);
    next.focus({ preventScroll: next === picture });
  };
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden", "open"] };
  // later: a list that closes as the focus leaves it changes the page before the next element has the focus
  new MutationObserver(() => setTimeout(restoreFocus)).observe(document.body, changes);
}

function isFocusable(element: Element | null): boolean {
  return element !== null && element !== document.body && element.checkVisibility();
}

/** The control that has taken the place of one that is gone. */
function twin(gone: HTMLElement): HTMLElement | null {
  const name = (element: Element): string =>
    `${element.className}/${element.getAttribute("aria-label")}/${element.textContent}`;
  const others = document.querySelectorAll<HTMLElement>(gone.localName);
  return [...others].find((other) => name(other) === name(gone) && isFocusable(other)) ?? null;
}
