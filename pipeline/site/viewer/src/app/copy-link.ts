// Button that copies the link to what is shown.

import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon, el } from "../ui/dom";
import { showNotice } from "../ui/page";

const NAME = "Copy link";
const DONE_MS = 1800;

/** `link` is called on every click. */
export function createCopyLinkButton(link: () => string): HTMLButtonElement {
  const chain = createSvgIcon(
    "M8.4 11.6a3.2 3.2 0 0 0 4.5 0l2.6-2.6a3.2 3.2 0 0 0-4.5-4.5l-.9.9",
    "M11.6 8.4a3.2 3.2 0 0 0-4.5 0L4.5 11A3.2 3.2 0 0 0 9 15.5l.9-.9",
  );
  const button = createButton(NAME, chain, () => {
    const text = link();
    copy(text).then(
      () => confirm(button),
      () => showNotice("The browser did not let the page copy. The link is:", createLinkField(text)),
    );
  });
  button.classList.add("copy-link");
  return button;
}

/** A page has access to the clipboard only over HTTPS, from this machine and from disk. */
async function copy(text: string): Promise<void> {
  if (!navigator.clipboard) throw new Error("no clipboard");
  await navigator.clipboard.writeText(text);
}

function confirm(button: HTMLButtonElement): void {
  announce("Link copied.");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => button.setAttribute("aria-label", NAME), DONE_MS);
}

function createLinkField(text: string): HTMLInputElement {
  const field = el("input", { type: "text", readonly: true, value: text, "aria-label": "Link" });
  field.addEventListener("focus", () => field.select());
  return field;
}
