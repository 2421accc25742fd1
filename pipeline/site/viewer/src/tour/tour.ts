// The tour: places one after the other, each with its caption on a card.

import { loadPlaces, type Place, type Places } from "../data/manifest";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { button, drawing, el } from "../ui/dom";

export interface TourActions {
  /** Go to the place of a step. */
  go(place: Place, step: number): void;
  /** The tour is over; the focus goes back to the picture. */
  leave(): void;
  report(error: unknown): void;
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
  private readonly previous = button("Previous place", drawing("M12 4.5 6.5 10l5.5 5.5"), () => this.by(-1));
  private readonly next = button("Next place", drawing("M8 4.5 13.5 10 8 15.5"), () => this.by(1));
  private places: Places | null = null;

  constructor(
    private readonly store: Store,
    private readonly actions: TourActions,
  ) {
    const close = button(
      "End the tour",
      drawing("M5 5 15 15", "M15 5 5 15"),
      () => this.end(),
      "quiet close",
    );
    const steps = el("div", { class: "steps" }, this.progress, this.track, this.previous, this.next);
    this.element.append(close, this.title, this.text, steps);
    this.element.addEventListener("keydown", (event) => this.key(event));
    store.subscribe((state, before) => {
      if (state.tour !== before.tour) this.follow();
    });
  }

  /** Follow a link into the tour; one that names nothing but a step goes to its place. */
  follow(): void {
    const alone = !new URLSearchParams(location.hash.slice(1)).has("layer"); // before the address tells all of it
    this.load().then(({ places }) => {
      const { tour } = this.store.state;
      const place = tour === null ? undefined : places[tour - 1];
      if (tour !== null && !place) this.store.set({ tour: null });
      else if (place && tour !== null && alone) this.goTo(place, tour);
      this.show(this.store.state.tour);
    }, this.actions.report);
  }

  async start(): Promise<void> {
    const { places } = await this.load();
    if (!places[0]) return;
    this.goTo(places[0], 1);
    this.element.focus({ preventScroll: true });
  }

  private async load(): Promise<Places> {
    this.places ??= await loadPlaces();
    return this.places;
  }

  /** The card comes first: what it covers is no place for the cell that is gone to. */
  private goTo(place: Place, step: number): void {
    this.show(step);
    this.actions.go(place, step);
  }

  private show(step: number | null): void {
    document.documentElement.toggleAttribute("data-tour", step !== null);
    const place = step === null ? undefined : this.places?.places[step - 1];
    this.element.hidden = !place;
    if (!place || !this.places || step === null) return;
    const { automatic, places } = this.places;
    const progress = `${step} of ${places.length}`;
    this.progress.textContent = automatic ? `${progress} · made automatically` : progress;
    this.track.style.setProperty("--share", String(step / places.length));
    this.title.textContent = place.title;
    this.text.textContent = place.text;
    this.text.hidden = !place.text;
    const scrolls = this.text.scrollHeight > this.text.clientHeight + 1;
    if (scrolls)
      this.text.tabIndex = 0; // who uses keys can scroll it, too
    else this.text.removeAttribute("tabindex");
    this.previous.setAttribute("aria-disabled", String(step === 1));
    const last = step === places.length;
    this.next.setAttribute("aria-label", last ? "Finish the tour" : "Next place");
    this.next.title = last ? "Finish the tour" : "Next place";
    announce(`Tour, ${progress}: ${place.title}. ${place.text}`);
  }

  private by(steps: number): void {
    const { tour } = this.store.state;
    if (tour === null || !this.places) return;
    const step = tour + steps;
    const place = this.places.places[step - 1];
    if (place) this.goTo(place, step);
    else if (step > 1) this.end();
  }

  private end(): void {
    this.store.set({ tour: null });
    announce("The tour has ended.");
    this.actions.leave();
  }

  private key(event: KeyboardEvent): void {
    const action = {
      ArrowLeft: () => this.by(-1),
      ArrowRight: () => this.store.state.tour !== this.places?.places.length && this.by(1),
      Escape: () => this.end(),
    }[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // these keys mean something else on the picture
    action();
  }
}
