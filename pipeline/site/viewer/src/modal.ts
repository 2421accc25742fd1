// A dialog over the page, with a heading and a way out.

import { button, drawing, el } from "./dom";

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
