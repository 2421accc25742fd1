// Entry point of the atlas page.

import { takeData } from "../data/data-files";
import type { Manifest } from "../data/manifest";
import { announce, announcementRegion } from "../ui/accessibility";
import { el } from "../ui/dom";
import { App } from "./app";

try {
  new App(takeData("manifest") as Manifest).start();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  document.body.replaceChildren(
    el("p", { class: "failure" }, `The atlas cannot be shown: ${text}`),
    announcementRegion(),
  );
  announce(text);
}
