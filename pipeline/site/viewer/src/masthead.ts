// The head of the page: title, what is shown, search and tools. In one line where all of it has room, else in two; on
// a phone the grid level and the tools wait behind a button.

import { Behind } from "./behind";
import { el } from "./dom";
import type { Manifest } from "./manifest";

export interface Controls {
  readonly atlases: HTMLElement;
  readonly layers: HTMLElement;
  readonly levels: HTMLElement;
  readonly search: HTMLElement;
  readonly tools: HTMLElement;
}

type Room = "line" | "lines" | "phone";

const PHONE = matchMedia("(max-width: 640px)");

export class Masthead {
  readonly element: HTMLElement;
  private readonly upper = el("div", { class: "line" });
  private readonly lower = el("div", { class: "line" });
  private readonly title: HTMLElement;
  private readonly behind = new Behind("Grid level and tools");
  private room: Room | null = null;
  private awaited = 0;

  constructor(
    { title, network }: Manifest,
    private readonly controls: Controls,
  ) {
    const heading = el("h1", { title }, el("a", { href: "contents.html" }, title));
    this.title = el("div", { class: "title" }, heading, el("p", { title: network.name }, network.name));
    this.element = el("header", { class: "masthead" }, this.upper, this.lower);
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(this.awaited);
      this.awaited = requestAnimationFrame(() => this.arrange());
    });
    for (const part of [this.element, ...Object.values(controls)]) observer.observe(part);
  }

  /** Give everything its place; the element must be on the page. */
  arrange(): void {
    this.place(this.fitting());
  }

  private fitting(): Room {
    if (PHONE.matches) return "phone";
    if (this.room !== "line" && this.room !== "lines") this.place("lines"); // nothing behind the button
    const { element } = this;
    element.dataset.room = "line";
    const fits = element.scrollWidth <= element.clientWidth;
    element.dataset.room = this.room ?? "";
    return fits ? "line" : "lines";
  }

  private place(room: Room): void {
    if (room === this.room) return;
    this.room = room;
    const [upper, lower, held] = this.order(room);
    const focused = document.activeElement;
    this.element.dataset.room = room;
    this.behind.hold(held);
    this.upper.replaceChildren(...upper);
    this.lower.replaceChildren(...lower);
    if (focused instanceof HTMLElement && this.element.contains(focused)) focused.focus();
  }

  /** What is in the upper line, in the lower one and behind the button, as it is seen: the tab key follows the eye. */
  private order(room: Room): [upper: HTMLElement[], lower: HTMLElement[], held: HTMLElement[]] {
    const { atlases, layers, levels, search, tools } = this.controls;
    const { title, behind } = this;
    if (room === "phone")
      return [
        [title, search, behind.element],
        [atlases, layers],
        [levels, tools],
      ];
    if (room === "lines") return [[title, search, tools], [atlases, layers, levels], []];
    return [[title, atlases, layers, levels, search, tools], [], []];
  }
}
