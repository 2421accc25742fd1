// Tour: bookmarks in sequence, each with its caption on a card.

import { type Bookmark, type BookmarkFile, loadBookmarks } from "../data/manifest";
import type { Store } from "../state/state";
import { describeMissing } from "../state/url-hash";
import { announce } from "../ui/accessibility";
import { createButton, createCloseButton, createSvgIcon, el } from "../ui/dom";
import { showNotice } from "../ui/page";

export interface TourActions {
  /** Go to the bookmark of a step. */
  go(bookmark: Bookmark, step: number): void;
  /** Called at the end; focuses the map. */
  onEnd(): void;
  reportError(error: unknown): void;
}

export class Tour {
  readonly element = el("section", { class: "tour", "aria-label": "Tour", tabindex: "-1", hidden: true });
  private readonly progress = el("p", { class: "progress" });
  private readonly track = el(
    "span",
    { class: "track", "aria-hidden": "true" },
    el("span", { class: "bar" }),
  );
  private readonly title = el("h2", {});
  private readonly text = el("p", { class: "text" });
  private readonly previous = createButton("Previous stop", createSvgIcon("M12 4.5 6.5 10l5.5 5.5"), () =>
    this.step(-1),
  );
  private readonly next = createButton("Next stop", createSvgIcon("M8 4.5 13.5 10 8 15.5"), () =>
    this.step(1),
  );
  private file: BookmarkFile | null = null;

  constructor(
    private readonly store: Store,
    private readonly actions: TourActions,
  ) {
    const close = createCloseButton("End tour", () => this.end(), "icon-button close");
    const steps = el("div", { class: "steps" }, this.progress, this.track, this.previous, this.next);
    this.element.append(close, this.title, this.text, steps);
    this.element.addEventListener("keydown", (event) => this.key(event));
    store.subscribe((state, before) => {
      if (state.tour !== before.tour) this.follow();
    });
  }

  /** Follow a link into the tour; one with only a step goes to its bookmark. */
  follow(): void {
    const alone = !new URLSearchParams(location.hash.slice(1)).has("layer"); // before the hash is completed
    this.load().then(({ bookmarks }) => {
      const { tour } = this.store.state;
      const bookmark = tour === null ? undefined : bookmarks[tour - 1];
      if (tour !== null && !bookmark) {
        this.store.set({ tour: null });
        showNotice(describeMissing([`bookmark “${tour}”`]));
      }
      if (bookmark && tour !== null && alone) this.goToStop(bookmark, tour);
      this.show(this.store.state.tour);
    }, this.actions.reportError);
  }

  async start(): Promise<void> {
    const { bookmarks } = await this.load();
    if (!bookmarks[0]) return;
    this.goToStop(bookmarks[0], 1);
    this.element.focus({ preventScroll: true });
  }

  private async load(): Promise<BookmarkFile> {
    this.file ??= await loadBookmarks();
    return this.file;
  }

  /** Show the card first: the cell must not end up below it. */
  private goToStop(bookmark: Bookmark, step: number): void {
    this.show(step);
    this.actions.go(bookmark, step);
  }

  private show(step: number | null): void {
    document.documentElement.toggleAttribute("data-tour", step !== null);
    const bookmark = step === null ? undefined : this.file?.bookmarks[step - 1];
    this.element.hidden = !bookmark;
    if (!bookmark || !this.file || step === null) return;
    const { automatic, bookmarks } = this.file;
    const progress = `${step} of ${bookmarks.length}`;
    this.progress.textContent = automatic ? `${progress} · generated` : progress;
    this.track.style.setProperty("--share", String(step / bookmarks.length));
    this.title.textContent = bookmark.title;
    this.text.textContent = bookmark.text;
    this.text.hidden = !bookmark.text;
    const scrolls = this.text.scrollHeight > this.text.clientHeight + 1;
    if (scrolls)
      this.text.tabIndex = 0; // keyboard users can scroll it, too
    else this.text.removeAttribute("tabindex");
    this.previous.setAttribute("aria-disabled", String(step === 1));
    const last = step === bookmarks.length;
    this.next.setAttribute("aria-label", last ? "Finish the tour" : "Next stop");
    this.next.title = last ? "Finish the tour" : "Next stop";
    announce(`Tour, ${progress}: ${bookmark.title}. ${bookmark.text}`);
  }

  private step(steps: number): void {
    const { tour } = this.store.state;
    if (tour === null || !this.file) return;
    const step = tour + steps;
    const bookmark = this.file.bookmarks[step - 1];
    if (bookmark) this.goToStop(bookmark, step);
    else if (step > 1) this.end();
  }

  private end(): void {
    this.store.set({ tour: null });
    announce("The tour has ended.");
    this.actions.onEnd();
  }

  private key(event: KeyboardEvent): void {
    const action = {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.store.state.tour !== this.file?.bookmarks.length && this.step(1),
      Escape: () => this.end(),
    }[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // these keys have other meanings on the map
    action();
  }
}
