// Controls: radio groups, dialogs and panel sections.

import { createCloseButton, el } from "./dom";

export interface RadioOption {
  readonly value: string;
  readonly label: string;
  /** Tooltip, and description for screen readers. */
  readonly title?: string;
  readonly disabled?: boolean;
}

export interface RadioGroup {
  readonly element: HTMLFieldSetElement;
  setOptions(options: readonly RadioOption[]): void;
  choose(value: string): void;
}

let radioGroups = 0;

/** An empty radio group; `onChange` is called with the chosen value. */
export function createRadioGroup(label: string, onChange: (value: string) => void): RadioGroup {
  const name = `choice-${radioGroups++}`;
  const legend = el("legend", { class: "visually-hidden" }, label);
  const element = el("fieldset", { class: "radio-group" }, legend);
  element.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) onChange(event.target.value);
  });
  return {
    element,
    setOptions(options) {
      const labels = options.map(({ value, label, title, disabled }) =>
        el(
          "label",
          { "data-value": value },
          el("input", {
            type: "radio",
            name,
            value,
            disabled: disabled ?? false,
            ...(title ? { title } : {}),
          }),
          el("span", {}, label),
        ),
      );
      element.replaceChildren(legend, ...labels);
    },
    choose(value) {
      for (const input of element.querySelectorAll("input")) input.checked = input.value === value;
    },
  };
}

// Dialog with a heading and a close button.

export interface DialogParts {
  readonly dialog: HTMLDialogElement;
  readonly heading: HTMLElement;
  readonly body: HTMLElement;
}

/** A closed dialog with empty heading and body; `name` is its class and the prefix of its ids. */
export function createDialog(name: string): DialogParts {
  const heading = el("h2", { id: `${name}-title` });
  const body = el("div", { class: "body" });
  const dialog = el("dialog", { class: `dialog ${name}`, "aria-labelledby": heading.id });
  const close = createCloseButton("Close", () => dialog.close(), "icon-button close");
  dialog.append(close, heading, body);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { dialog, heading, body };
}

// Titled section of a panel.

export function createSection(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return el("div", { class: "section" }, el("h3", {}, title), ...content);
}
