// Announcements for screen readers, and focus management.

import { el } from "./dom";

const liveRegion = el("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });

/** The live region to add to the page. */
export function announcementRegion(): HTMLElement {
  return liveRegion;
}

export function announce(text: string): void {
  if (liveRegion.textContent !== text) liveRegion.textContent = text;
}

// Keep the focus on an existing element: if its element is removed or hidden, focus its replacement, or else the map.

export function keepFocus(mapElement: HTMLElement): void {
  let lastFocused: HTMLElement | null = null;
  document.addEventListener("focusin", ({ target }) => {
    lastFocused = target instanceof HTMLElement ? target : null;
  });
  document.addEventListener("pointerdown", () => {
    lastFocused = null; // pointer users do not need the focus
  });
  const restoreFocus = (): void => {
    if (!document.hasFocus()) return; // the user is in another window or frame
    if (!lastFocused || isFocusable(document.activeElement) || document.querySelector("dialog[open]")) return;
    const next = isFocusable(lastFocused) ? mapElement : (findReplacement(lastFocused) ?? mapElement);
    next.focus({ preventScroll: next === mapElement });
  };
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden", "open"] };
  // deferred: a list that closes on focusout changes the page before the next element has the focus
  new MutationObserver(() => setTimeout(restoreFocus)).observe(document.body, changes);
}

function isFocusable(element: Element | null): boolean {
  return element !== null && element !== document.body && element.checkVisibility();
}

/** The control that replaced a removed one. */
function findReplacement(gone: HTMLElement): HTMLElement | null {
  const name = (element: Element): string =>
    `${element.className}/${element.getAttribute("aria-label")}/${element.textContent}`;
  const others = document.querySelectorAll<HTMLElement>(gone.localName);
  return [...others].find((other) => name(other) === name(gone) && isFocusable(other)) ?? null;
}
