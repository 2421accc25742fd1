// Parts shared by all pages: header, theme button and error message.

import { atlasAddress } from "../data/last-place";
import { createButton, createCloseButton, createSvgIcon, el } from "./dom";

/** Show an error at the bottom of the page. */
export function showFailure(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  document.querySelector(".failure")?.remove();
  document.body.append(el("p", { class: "failure", role: "alert" }, text));
}

/** Show a note over the map that can be closed; it replaces an earlier one. */
export function showNotice(text: string, ...content: readonly HTMLElement[]): void {
  closeNotice();
  const close = createCloseButton("Close this note", closeNotice);
  const notice = el("div", { class: "notice", role: "alert" }, el("p", {}, text), ...content, close);
  document.querySelector(".map-area")?.append(notice);
}

export function closeNotice(): void {
  document.querySelector(".notice")?.remove();
}

/** Header of the pages other than the atlas: link back, title, theme button. */
export function createPageHeader(title: string): HTMLElement {
  const back = el("a", { class: "back", href: atlasAddress() }, "← Atlas");
  const theme = createThemeButton(() => {});
  return el("header", { class: "page-header" }, back, el("p", { class: "where" }, title), theme);
}

const STORAGE_KEY = "atlas-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Button that switches the theme; `onChange` is called after every change. */
export function createThemeButton(onChange: () => void): HTMLButtonElement {
  const root = document.documentElement;
  const apply = (theme: string | null): void => {
    root.dataset.theme = theme ?? (dark.matches ? "dark" : "light");
    onChange();
  };
  dark.addEventListener("change", () => apply(storedTheme()));
  apply(storedTheme());
  const circle = createSvgIcon("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z", "M10 3v14a7 7 0 0 0 0-14Z");
  circle.lastElementChild?.classList.add("filled");
  return createButton("Switch between light and dark", circle, () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    storeTheme(next);
    apply(next);
  });
}

function storedTheme(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null; // a page opened from disk may have no storage
  }
}

function storeTheme(theme: string): void {
  try {
    localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // the choice then lasts as long as the page
  }
}
