// One of several: a row of radio buttons in the clothes of a segmented control.

import { el } from "./dom";

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
