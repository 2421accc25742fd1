// Puts the page together: state in the middle, the picture and its companions around it.

import { takePart } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { announce, announcements } from "../ui/accessibility";
import { el } from "../ui/dom";
import { App } from "./app";

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
