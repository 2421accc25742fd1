// A button behind which controls wait that a narrow page has no room for.

import { button, drawing, el } from "./dom";

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
