// Puts the page together: state in the middle, the picture and its companions around it.

import { announce, announcements } from "./announce";
import { App } from "./app";
import { el } from "./dom";
import type { Manifest } from "./manifest";
import { takePart } from "./parts";

try {
  new App(takePart("manifest") as Manifest).start();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  document.body.replaceChildren(
    el("p", { class: "failure" }, `The atlas cannot be shown: ${text}`),
    announcements(),
  );
  announce(text);
}
