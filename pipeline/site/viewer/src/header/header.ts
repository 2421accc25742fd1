// Page header: title, menus, search and tools, in one line or two; on a phone, grid level and tools move to the
// overflow menu.

import type { Manifest } from "../data/manifest";
import { createButton, createSvgIcon, el } from "../ui/dom";

export interface Controls {
  readonly atlases: HTMLElement;
  readonly layers: HTMLElement;
  readonly levels: HTMLElement;
  readonly styles: HTMLElement;
  readonly search: HTMLElement;
  readonly tools: HTMLElement;
}

type HeaderMode = "line" | "lines" | "phone";

const PHONE = matchMedia("(max-width: 640px)");

export class Header {
  readonly element: HTMLElement;
  private readonly upper = el("div", { class: "line" });
  private readonly lower = el("div", { class: "line" });
  private readonly title: HTMLElement;
  private readonly overflowMenu = new OverflowMenu("Grid level and tools");
  private mode: HeaderMode | null = null;
  private pendingFrame = 0;

  constructor(
    { title, network }: Manifest,
    private readonly controls: Controls,
  ) {
    const heading = el("h1", { title }, el("a", { href: "contents.html" }, title));
    this.title = el("div", { class: "title" }, heading, el("p", { title: network.name }, network.name));
    this.element = el("header", { class: "page-header" }, this.upper, this.lower);
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(this.pendingFrame);
      this.pendingFrame = requestAnimationFrame(() => this.arrange());
    });
    for (const part of [this.element, ...Object.values(controls)]) observer.observe(part);
  }

  /** Choose the layout; the element must be attached to the page. */
  arrange(): void {
    this.applyMode(this.fittingMode());
  }

  private fittingMode(): HeaderMode {
    if (PHONE.matches) return "phone";
    if (this.mode !== "line" && this.mode !== "lines") this.applyMode("lines"); // empties the overflow menu
    const { element } = this;
    element.dataset.layout = "line";
    const fits = element.scrollWidth <= element.clientWidth;
    element.dataset.layout = this.mode ?? "";
    return fits ? "line" : "lines";
  }

  private applyMode(mode: HeaderMode): void {
    if (mode === this.mode) return;
    this.mode = mode;
    const [upper, lower, overflow] = this.arrangement(mode);
    const focused = document.activeElement;
    this.element.dataset.layout = mode;
    this.overflowMenu.setContent(overflow);
    this.upper.replaceChildren(...upper);
    this.lower.replaceChildren(...lower);
    if (focused instanceof HTMLElement && this.element.contains(focused)) focused.focus();
  }

  /** Contents of the upper line, the lower line and the overflow menu, in visual order, which is the tab order. */
  private arrangement(
    mode: HeaderMode,
  ): [upper: HTMLElement[], lower: HTMLElement[], overflow: HTMLElement[]] {
    const { atlases, layers, levels, styles, search, tools } = this.controls;
    const { title, overflowMenu } = this;
    if (mode === "phone")
      return [
        [title, search, overflowMenu.element],
        [atlases, layers],
        [levels, styles, tools],
      ];
    if (mode === "lines") return [[title, search, tools], [atlases, layers, levels, styles], []];
    return [[title, atlases, layers, levels, styles, search, tools], [], []];
  }
}

// Menu of the controls that do not fit into a narrow header.

export class OverflowMenu {
  readonly element = el("div", { class: "overflow-menu" });
  private readonly content = el("div", { id: "overflow-content", class: "overflow-content", hidden: true });
  private readonly button: HTMLButtonElement;

  constructor(label: string) {
    const dots = createSvgIcon("M4.5 10h.01", "M10 10h.01", "M15.5 10h.01");
    this.button = createButton(label, dots, () => this.show(Boolean(this.content.hidden)));
    this.button.setAttribute("aria-controls", this.content.id);
    this.element.append(this.button, this.content);
    this.show(false);
    this.listen();
  }

  /** Replace the controls in the menu. */
  setContent(controls: readonly HTMLElement[]): void {
    this.show(false);
    this.content.replaceChildren(...controls);
  }

  private show(open: boolean): void {
    this.content.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
  }

  private listen(): void {
    const { element, content } = this;
    const pressed = ({ target }: Event): void => {
      if (!(target instanceof Element && target.closest("button, a"))) return;
      this.button.focus(); // a dialog opened by the control returns the focus to an element that still exists
      this.show(false);
    };
    content.addEventListener("click", pressed, true);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || content.hidden) return;
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
