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

// The focus stays on something that is there: when a choice replaces or closes what holds it, it goes to the same
// control where that is still offered, else to the picture.

export function keepFocus(picture: HTMLElement): void {
  let last: HTMLElement | null = null;
  document.addEventListener("focusin", ({ target }) => {
    last = target instanceof HTMLElement ? target : null;
  });
  document.addEventListener("pointerdown", () => {
    last = null; // whoever points does not wait for the focus
  });
  const check = (): void => {
    if (!document.hasFocus()) return; // people are in another window or frame
    if (!last || isThere(document.activeElement) || document.querySelector("dialog[open]")) return;
    const next = isThere(last) ? picture : (twin(last) ?? picture);
    next.focus({ preventScroll: next === picture });
  };
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden", "open"] };
  // later: a list that closes as the focus leaves it changes the page before the next element has the focus
  new MutationObserver(() => setTimeout(check)).observe(document.body, changes);
}

function isThere(element: Element | null): boolean {
  return element !== null && element !== document.body && element.checkVisibility();
}

/** The control that has taken the place of one that is gone. */
function twin(gone: HTMLElement): HTMLElement | null {
  const name = (element: Element): string =>
    `${element.className}/${element.getAttribute("aria-label")}/${element.textContent}`;
  const others = document.querySelectorAll<HTMLElement>(gone.localName);
  return [...others].find((other) => name(other) === name(gone) && isThere(other)) ?? null;
}
