// Help dialog: an introduction and the list of keyboard shortcuts, both only of what the run recorded.

import type { Manifest } from "../data/manifest";
import { isRecorded, type Recording } from "../data/recorded";
import { createCloseButton, el } from "../ui/dom";

type Needs = Recording | null;

const KEYS: readonly (readonly [key: string, meaning: string, needs?: Recording])[] = [
  ["← ↑ → ↓", "from cell to cell"],
  ["Enter", "pin the cell; again: focus its panel"],
  ["Esc", "undo the latest: tool, pin or region, palette, cursor, second map"],
  ["+  −", "zoom"],
  ["Shift ← ↑ → ↓", "pan"],
  ["0", "the whole atlas"],
  [",  .", "coarser and finer grid"],
  ["a", "grid level by zoom"],
  ["l", "next layer", "several layers"],
  ["b", "select a region: arrows and Enter at two corners"],
  ["f", "select with the lasso; Shift adds to the selection"],
  ["x", "add the cell to the selection, or remove it"],
  ["Shift drag", "select a region"],
  ["/", "search for a class", "attributions"],
  ["Shift Enter", "in the search: add the class, in its own color", "attributions"],
  ["s", "the highlighted class at every layer", "attributions"],
  ["Esc", "last of all: no class highlighted", "attributions"],
  ["o", "choose an atlas", "several atlases"],
  ["u", "polysemantic cells", "attributions"],
  ["p", "bookmarks and tour"],
  ["c", "split view: a second map side by side"],
  ["v", "color the cells by samples, fidelity, reliability, spread"],
  ["k", "color the cells by a channel: type its number"],
  ["m", "samples as points over the map"],
  ["n", "show or hide labels", "attributions"],
  ["i", "drawn or accentuated icons", "several styles"],
  ["e", "icons, or photographs: the patch of each cell's nearest exemplar", "exemplars"],
  ["d", "mark the cells to doubt, or hide the marks"],
  ["t", "try your image: where a photograph of your own falls"],
  ["?", "this help"],
];

const ABOUT: readonly (readonly [text: string, needs: Needs])[] = [
  [
    "Each icon is rendered by feature visualization: an image is optimized until its activation points in the direction " +
      "of the mean activation of a cell, a group of positions in real images. Cells with similar activations lie close " +
      "together.",
    null,
  ],
  ["Hover over an icon to see the classes to which its cell contributes most.", "attributions"],
  ["Pin an icon to see the images that its cell comes from.", "exemplars"],
  [
    "Pin an icon to add its cell to the palette. A grid of labels is painted with these cells, and a command makes the " +
      "picture.",
    null,
  ],
  [
    "Highlight a class to see which cells contribute to it. Add others, and each cell takes the color of the class with " +
      "the largest attribution; the smaller the attribution, the paler the color.",
    "attributions",
  ],
  [
    "A comparison of two classes places its cells by the difference of their attributions to the two classes: the " +
      "further to one side, the more a cell contributes to the class named there.",
    "comparisons",
  ],
  ["Rows and columns of cells count from 0, as in the CSV, the commands and the URL.", null],
];

/** The closed dialog; `showModal()` opens it. */
export function createHelpDialog(manifest: Manifest): HTMLDialogElement {
  const isOffered = (needs: Needs): boolean => needs === null || isRecorded(manifest, needs);
  const dialog = el("dialog", { class: "help", "aria-labelledby": "help-title" });
  const keys = el("dl", {});
  for (const [key, meaning, needs] of KEYS)
    if (isOffered(needs ?? null)) keys.append(el("div", {}, el("dt", {}, key), el("dd", {}, meaning)));
  const about = ABOUT.filter(([, needs]) => isOffered(needs));
  dialog.append(
    createCloseButton("Close help", () => dialog.close(), "icon-button close"),
    el("h2", { id: "help-title" }, "Reading the atlas"),
    ...about.map(([text]) => el("p", {}, text)),
    el("h3", {}, "Keys"),
    keys,
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}
