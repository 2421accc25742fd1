// Introduction above the map: what one sees, and ways to the tour, the contents and the help. A page that is opened by
// a link shows what the link describes instead; closing the introduction is remembered.

import { loadBookmarks } from "../data/manifest";
import { createButton, createSvgIcon, el } from "../ui/dom";

const TEXT =
  "Each picture shows what this layer of the network responds to at one group of similar activations. " +
  "Pictures that lie close together have similar activations.";
const STORAGE_KEY = `atlas-introduction:${location.pathname.replace(/[^/]*$/, "")}`; // pages opened from disk share one storage

export interface IntroductionActions {
  startTour(): void;
  openHelp(): void;
  /** Focus the map. */
  onClose(): void;
}

/** The introduction; hidden if the page was opened by a link to a view, or if it was closed before. */
export function createIntroduction(actions: IntroductionActions): HTMLElement {
  const tour = createWay("Start the tour", actions.startTour, "start-tour");
  tour.hidden = true;
  loadBookmarks().then(
    ({ bookmarks }) => {
      tour.hidden = !bookmarks.length;
    },
    () => undefined, // the dialog of the bookmarks reports it
  );
  const contents = el("a", { href: "contents.html" }, "Contents");
  const ways = el("div", { class: "ways" }, tour, contents, createWay("Help", actions.openHelp, "link"));
  const element = el(
    "aside",
    { class: "introduction", "aria-label": "Introduction" },
    el("p", {}, TEXT),
    ways,
  );
  element.hidden = location.hash.length > 1 || wasClosed();
  const close = createButton("Close the introduction", createSvgIcon("M6 6 14 14", "M14 6 6 14"), () => {
    element.hidden = true;
    rememberClosed();
    actions.onClose();
  });
  element.append(close);
  return element;
}

function createWay(text: string, action: () => void, className: string): HTMLButtonElement {
  const button = el("button", { type: "button", class: className }, text);
  button.addEventListener("click", action);
  return button;
}

function wasClosed(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) !== null;
  } catch {
    return false; // a page opened from disk may have no storage
  }
}

function rememberClosed(): void {
  try {
    localStorage.setItem(STORAGE_KEY, "closed");
  } catch {
    // then it is closed as long as the page is open
  }
}
