// One of several: a row of radio buttons in the clothes of a segmented control.

import { button, drawing, el } from "./dom";

export interface Option {
  readonly value: string;
  readonly face: string;
}

export interface Choice {
  readonly element: HTMLFieldSetElement;
  offer(options: readonly Option[]): void;
  choose(value: string): void;
}

let made = 0;

/** An empty choice; `taken` hears what people choose. */
export function choice(label: string, taken: (value: string) => void): Choice {
  const name = `choice-${made++}`;
  const legend = el("legend", { class: "unseen" }, label);
  const element = el("fieldset", { class: "choice" }, legend);
  element.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) taken(event.target.value);
  });
  return {
    element,
    offer(options) {
      const labels = options.map(({ value, face }) =>
        el(
          "label",
          { "data-value": value },
          el("input", { type: "radio", name, value }),
          el("span", {}, face),
        ),
      );
      element.replaceChildren(legend, ...labels);
    },
    choose(value) {
      for (const input of element.querySelectorAll("input")) input.checked = input.value === value;
    },
  };
}

// A dialog over the page, with a heading and a way out.

export interface Modal {
  readonly dialog: HTMLDialogElement;
  readonly heading: HTMLElement;
  readonly body: HTMLElement;
}

/** A closed dialog, whose heading and body are still empty; `name` is its class and the root of its ids. */
export function modal(name: string): Modal {
  const heading = el("h2", { id: `${name}-title` });
  const body = el("div", { class: "body" });
  const dialog = el("dialog", { class: `sheet ${name}`, "aria-labelledby": heading.id });
  const close = button("Close", drawing("M5 5 15 15", "M15 5 5 15"), () => dialog.close(), "quiet close");
  dialog.append(close, heading, body);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { dialog, heading, body };
}

// A titled part of a panel.

export function section(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return el("div", { class: "section" }, el("h3", {}, title), ...content);
}
