// The list of places: those of the run, which make its tour, and the reader's own.

import { loadPlaces, type Manifest, type Places } from "../data/manifest";
import type { Store } from "../state/state";
import { toHash } from "../state/url-hash";
import { announce } from "../ui/accessibility";
import { modal } from "../ui/controls";
import { button, drawing, el } from "../ui/dom";
import { LONGEST_TITLE, placeRow, type Saved, SavedPlaces, where } from "./bookmarks";
import { Tour } from "./tour";

export interface PlaceActions {
  /** Show what a link describes, with the step of the tour that belongs to it. */
  fly(link: string, tour: number | null): void;
  /** Give the focus to the picture. */
  leave(): void;
  report(error: unknown): void;
}

export class PlaceList {
  readonly tour: Tour;
  readonly button = button(
    "Places and tour",
    drawing(
      "M10 17.2c3.4-3.6 5.2-6.4 5.2-8.9a5.2 5.2 0 0 0-10.4 0c0 2.5 1.8 5.3 5.2 8.9Z",
      "M10 6.7a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4Z",
    ),
    () => this.open(),
  );
  private readonly shell = modal("places");
  private readonly own = el("section", { class: "own", "aria-label": "Your places" });
  private readonly saved = new SavedPlaces();

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly actions: PlaceActions,
  ) {
    this.shell.heading.textContent = "Places";
    this.tour = new Tour(store, {
      go: (place, step) => actions.fly(place.link, step),
      leave: actions.leave,
      report: actions.report,
    });
  }

  get dialog(): HTMLDialogElement {
    return this.shell.dialog;
  }

  open(): void {
    const given = el("section", { class: "given", "aria-label": "Places of this atlas" });
    this.shell.body.replaceChildren(given, this.own);
    this.showOwn();
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    loadPlaces().then((places) => this.fill(given, places), this.actions.report);
  }

  private fill(given: HTMLElement, { automatic, places }: Places): void {
    const rows = places.map((place, index) => {
      const row = placeRow(this.manifest, place, () => this.go(place.link));
      row.querySelector(".name")?.prepend(`${index + 1}. `);
      return el("li", {}, row);
    });
    const start = el("button", { type: "button", class: "begin" }, "Take the tour");
    start.addEventListener("click", () => {
      this.dialog.close();
      this.tour.start().catch(this.actions.report);
    });
    const made = "This tour was made automatically, from the figures of the run.";
    given.replaceChildren(
      ...(automatic && rows.length ? [el("p", { class: "fine" }, made)] : []),
      ...(rows.length ? [start] : []),
      el("ol", { class: "place-list" }, ...rows),
    );
  }

  private showOwn(): void {
    const rows = this.saved.list.map((place) => el("li", {}, this.row(place), this.remover(place)));
    const list = el("ul", { class: "place-list" }, ...rows);
    const none = "None yet. What is in sight now can be kept here, by this browser alone.";
    this.own.replaceChildren(
      el("h3", {}, "Your places"),
      ...(rows.length ? [list] : [el("p", { class: "fine" }, none)]),
      this.form(),
      ...(this.saved.lasting
        ? []
        : [
            el(
              "p",
              { class: "fine refused" },
              "This browser keeps nothing for a page that is opened this way: your places last until the page is " +
                "closed. Copy the address to keep one.",
            ),
          ]),
    );
  }

  private row(place: Saved): HTMLElement {
    return placeRow(this.manifest, { ...place, text: "" }, () => this.go(place.link));
  }

  private remover(place: Saved): HTMLElement {
    return button(`Remove ${place.title}`, drawing("M6 6 14 14", "M14 6 6 14"), () => {
      this.saved.remove(place);
      this.showOwn();
      announce(`${place.title} removed`);
      this.own.querySelector<HTMLElement>("input")?.focus();
    });
  }

  /** The form that saves what is in sight. */
  private form(): HTMLElement {
    const link = (): string => toHash({ ...this.store.state, tour: null }).slice(1);
    const title = el("input", {
      type: "text",
      "aria-label": "Title of the place",
      maxlength: LONGEST_TITLE,
      value: where(this.manifest, link()).slice(0, LONGEST_TITLE),
    });
    const form = el("form", {}, title, el("button", { type: "submit", class: "more" }, "Save this place"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const now = link(); // a movement may have ended since the list was opened
      this.saved.add({ title: title.value.trim() || where(this.manifest, now), link: now });
      this.showOwn();
      announce("Place saved");
      this.own.querySelector<HTMLElement>("li:last-child .place")?.focus();
    });
    return form;
  }

  private go(link: string): void {
    this.dialog.close();
    this.actions.fly(link, null);
    this.actions.leave();
  }
}
