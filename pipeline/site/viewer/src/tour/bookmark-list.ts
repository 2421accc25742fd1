// Dialog of the bookmarks: those of the run, which are the stops of the tour, and the user's own.

import { type BookmarkFile, loadBookmarks, type Manifest } from "../data/manifest";
import type { Store } from "../state/state";
import { toHash } from "../state/url-hash";
import { announce } from "../ui/accessibility";
import { createDialog } from "../ui/controls";
import { createButton, createSvgIcon, el } from "../ui/dom";
import {
  BookmarkStorage,
  createBookmarkButton,
  describeLink,
  MAX_TITLE_LENGTH,
  type SavedBookmark,
} from "./bookmarks";
import { Tour } from "./tour";

export interface BookmarkActions {
  /** Show what a link describes, with its step of the tour. */
  goToLink(link: string, tour: number | null): void;
  /** Focus the map. */
  onEnd(): void;
  reportError(error: unknown): void;
}

export class BookmarkList {
  readonly tour: Tour;
  readonly button = createButton(
    "Bookmarks and tour",
    createSvgIcon(
      "M10 17.2c3.4-3.6 5.2-6.4 5.2-8.9a5.2 5.2 0 0 0-10.4 0c0 2.5 1.8 5.3 5.2 8.9Z",
      "M10 6.7a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4Z",
    ),
    () => this.open(),
  );
  private readonly dialogParts = createDialog("bookmarks");
  private readonly savedSection = el("section", { class: "own-bookmarks", "aria-label": "Your bookmarks" });
  private readonly saved = new BookmarkStorage();

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly actions: BookmarkActions,
  ) {
    this.dialogParts.heading.textContent = "Bookmarks";
    this.tour = new Tour(store, {
      go: (bookmark, step) => actions.goToLink(bookmark.link, step),
      onEnd: actions.onEnd,
      reportError: actions.reportError,
    });
  }

  get dialog(): HTMLDialogElement {
    return this.dialogParts.dialog;
  }

  open(): void {
    const tourSection = el("section", { class: "atlas-bookmarks", "aria-label": "Tour stops" });
    this.dialogParts.body.replaceChildren(tourSection, this.savedSection);
    this.showSaved();
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    loadBookmarks().then((bookmarks) => this.fillTour(tourSection, bookmarks), this.actions.reportError);
  }

  private fillTour(tourSection: HTMLElement, { automatic, bookmarks }: BookmarkFile): void {
    const rows = bookmarks.map((bookmark, index) => {
      const row = createBookmarkButton(this.manifest, bookmark, () => this.goTo(bookmark.link));
      row.querySelector(".name")?.prepend(`${index + 1}. `);
      return el("li", {}, row);
    });
    const start = el("button", { type: "button", class: "start-tour" }, "Start the tour");
    start.addEventListener("click", () => {
      this.dialog.close();
      this.tour.start().catch(this.actions.reportError);
    });
    const automaticNote = "This tour was generated from the measurements of the run.";
    tourSection.replaceChildren(
      ...(automatic && rows.length ? [el("p", { class: "secondary" }, automaticNote)] : []),
      ...(rows.length ? [start] : []),
      el("ol", { class: "bookmark-list" }, ...rows),
    );
  }

  private showSaved(): void {
    const rows = this.saved.list.map((bookmark) =>
      el("li", {}, this.createSavedRow(bookmark), this.createRemoveButton(bookmark)),
    );
    const list = el("ul", { class: "bookmark-list" }, ...rows);
    const emptyNote = "No bookmarks yet. The current view can be saved here, in this browser only.";
    this.savedSection.replaceChildren(
      el("h3", {}, "Your bookmarks"),
      ...(rows.length ? [list] : [el("p", { class: "secondary" }, emptyNote)]),
      this.createForm(),
      ...(this.saved.persists
        ? []
        : [
            el(
              "p",
              { class: "secondary unavailable" },
              "This browser has no storage for a page that is opened this way: your bookmarks are lost when the page is " +
                "closed. Copy the URL to keep one.",
            ),
          ]),
    );
  }

  private createSavedRow(bookmark: SavedBookmark): HTMLElement {
    return createBookmarkButton(this.manifest, { ...bookmark, text: "" }, () => this.goTo(bookmark.link));
  }

  private createRemoveButton(bookmark: SavedBookmark): HTMLElement {
    return createButton(`Remove ${bookmark.title}`, createSvgIcon("M6 6 14 14", "M14 6 6 14"), () => {
      this.saved.remove(bookmark);
      this.showSaved();
      announce(`${bookmark.title} removed`);
      this.savedSection.querySelector<HTMLElement>("input")?.focus();
    });
  }

  /** Form that saves the current view. */
  private createForm(): HTMLElement {
    const link = (): string => toHash({ ...this.store.state, tour: null }).slice(1);
    const title = el("input", {
      type: "text",
      "aria-label": "Bookmark title",
      maxlength: MAX_TITLE_LENGTH,
      value: describeLink(this.manifest, link()).slice(0, MAX_TITLE_LENGTH),
    });
    const form = el("form", {}, title, el("button", { type: "submit", class: "more" }, "Save bookmark"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const now = link(); // a movement may have ended since the dialog was opened
      this.saved.add({ title: title.value.trim() || describeLink(this.manifest, now), link: now });
      this.showSaved();
      announce("Bookmark saved");
      this.savedSection.querySelector<HTMLElement>("li:last-child .bookmark")?.focus();
    });
    return form;
  }

  private goTo(link: string): void {
    this.dialog.close();
    this.actions.goToLink(link, null);
    this.actions.onEnd();
  }
}
