// The names in sight as a text that describes the picture to screen readers.

import { el } from "./dom";

const SETTLED_MS = 400;

let made = 0;

export class NamesTold {
  private readonly text = el("p", { class: "unseen", id: `names-in-sight-${made++}` });
  private timer = 0;

  constructor(
    canvas: HTMLElement,
    private readonly names: () => readonly string[],
  ) {
    canvas.after(this.text);
    canvas.setAttribute("aria-describedby", this.text.id);
  }

  /** Tell them anew once the picture has come to rest. */
  renew(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const names = [...new Set(this.names())];
      this.text.textContent = names.length ? `Names in sight: ${names.join(", ")}.` : "";
    }, SETTLED_MS);
  }
}
