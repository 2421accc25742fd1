// The head of the page: title, what is shown, search and tools. In one line where all of it has room, else in two; on
// a phone the grid level and the tools wait behind a button.

import type { Manifest } from "../data/manifest";
import { button, drawing, el } from "../ui/dom";

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

// A button behind which controls wait that a narrow page has no room for.

export class Behind {
  readonly element = el("div", { class: "behind" });
  private readonly sheet = el("div", { id: "behind", class: "held", hidden: true });
  private readonly button: HTMLButtonElement;

  constructor(label: string) {
    const dots = drawing("M4.5 10h.01", "M10 10h.01", "M15.5 10h.01");
    this.button = button(label, dots, () => this.show(Boolean(this.sheet.hidden)));
    this.button.setAttribute("aria-controls", this.sheet.id);
    this.element.append(this.button, this.sheet);
    this.show(false);
    this.listen();
  }

  /** Put the controls behind the button, in place of those that are there. */
  hold(controls: readonly HTMLElement[]): void {
    this.show(false);
    this.sheet.replaceChildren(...controls);
  }

  private show(open: boolean): void {
    this.sheet.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
  }

  private listen(): void {
    const { element, sheet } = this;
    const pressed = ({ target }: Event): void => {
      if (!(target instanceof Element && target.closest("button, a"))) return;
      this.button.focus(); // a dialog that the control opens gives the focus back to what is still there
      this.show(false);
    };
    sheet.addEventListener("click", pressed, true);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || sheet.hidden) return;
      event.stopPropagation();
      this.show(false);
      this.button.focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!(target instanceof Node && element.contains(target))) this.show(false);
    });
    element.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !element.contains(relatedTarget)) this.show(false);
    });
  }
}
