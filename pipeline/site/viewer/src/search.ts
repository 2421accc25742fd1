// The search over all classes: a text field with a list, as the ARIA combobox pattern has it.

import { drawing, el } from "./dom";

const LONGEST = 60;

/** Something else that a class offers beside its highlighting: a text, and what happens. */
export interface Offer {
  readonly text: string;
  take(): void;
}

interface Found {
  readonly id: number;
  readonly offer: Offer | null;
}

/** Classes whose name holds the text: first those that begin with it, then those with a word that does. */
export function matches(names: readonly string[], text: string): number[] {
  const wanted = text.trim().toLocaleLowerCase();
  const ranked = names
    .map((name, id) => ({ id, at: name.toLocaleLowerCase().indexOf(wanted), name: name.toLocaleLowerCase() }))
    .filter(({ at }) => at >= 0)
    .map(({ id, at, name }) => ({ id, rank: at === 0 ? 0 : name[at - 1] === " " ? 1 : 2 }));
  return ranked.sort((one, other) => one.rank - other.rank || one.id - other.id).map(({ id }) => id);
}

export class Search {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly list = el("ul", { id: "classes", role: "listbox", "aria-label": "Classes", hidden: true });
  private found: Found[] = [];
  private active = -1;

  constructor(
    private readonly names: readonly string[],
    private readonly choose: (id: number) => void,
    private readonly offers: (id: number) => readonly Offer[],
  ) {
    this.input = el("input", {
      type: "text",
      role: "combobox",
      "aria-label": "Highlight a class",
      "aria-expanded": "false",
      "aria-controls": "classes",
      "aria-autocomplete": "list",
      placeholder: `Search ${names.length} classes`,
      autocomplete: "off",
      spellcheck: "false",
    });
    const glass = drawing("M8.5 3a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z", "m12.5 12.5 4.5 4.5");
    this.element = el("div", { class: "search" }, glass, this.input, this.list);
    this.input.addEventListener("input", () => this.open());
    this.input.addEventListener("focus", () => this.open());
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  }

  private open(): void {
    const classes = matches(this.names, this.input.value).slice(0, LONGEST);
    this.found = classes.flatMap((id) => [
      { id, offer: null },
      ...this.offers(id).map((offer) => ({ id, offer })),
    ]);
    this.active = this.input.value && this.found.length ? 0 : -1;
    this.list.replaceChildren(...this.found.map((found, index) => this.option(found, index)));
    if (!this.found.length) this.list.append(el("li", { class: "nothing" }, "No class of this name"));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.highlight();
  }

  private close(): void {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  private option(found: Found, index: number): HTMLElement {
    const { id, offer } = found;
    const option = el(
      "li",
      { role: "option", id: `class-${index}`, class: offer && "offer", "aria-selected": "false" },
      offer?.text ?? this.names[id] ?? "",
    );
    option.addEventListener("click", () => this.take(found));
    return option;
  }

  private take({ id, offer }: Found): void {
    this.input.value = "";
    this.input.blur();
    if (offer) offer.take();
    else this.choose(id);
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      if (this.list.hidden) this.open();
      this.active = Math.min(Math.max(this.active + step, 0), this.found.length - 1);
      this.highlight();
    } else if (event.key === "Enter") {
      const found = this.found[this.active];
      if (found && !this.list.hidden) this.take(found);
    } else if (event.key === "Escape") {
      this.input.value = "";
      this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private highlight(): void {
    this.list.querySelectorAll('[role="option"]').forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.active));
      if (index !== this.active) return;
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    });
  }
}
