// Help dialog: an introduction and the list of keyboard shortcuts.

import { createButton, createSvgIcon, el } from "../ui/dom";

const STYLE_KEY = "drawn or accentuated icons";
const KEYS: readonly (readonly [string, string])[] = [
  ["← ↑ → ↓", "from cell to cell"],
  ["Enter", "pin the cell; again: focus its panel"],
  ["Esc", "undo the latest: tool, pin or region, cursor, second map, classes"],
  ["+  −", "zoom"],
  ["Shift ← ↑ → ↓", "pan"],
  ["0", "the whole atlas"],
  [",  .", "coarser and finer grid"],
  ["a", "grid level by zoom"],
  ["l", "next layer"],
  ["b", "select a region: arrows and Enter at two corners"],
  ["f", "select with the lasso; Shift adds to the selection"],
  ["x", "add the cell to the selection, or remove it"],
  ["Shift drag", "select a region"],
  ["/", "search for a class"],
  ["Shift Enter", "in the search: add the class, in its own color"],
  ["s", "the highlighted class at every layer"],
  ["o", "choose an atlas"],
  ["u", "polysemantic cells"],
  ["p", "bookmarks and tour"],
  ["c", "split view: another layer or class side by side"],
  ["v", "color the cells by samples, fidelity, reliability, spread"],
  ["n", "show or hide labels"],
  ["i", STYLE_KEY],
  ["d", "show or hide quality warnings"],
  ["?", "this help"],
];

const ABOUT = [
  "Each icon is rendered by feature visualization: an image is optimized until its activation points in the direction of the " +
    "mean activation of a cell, a group of positions in real images. Cells with similar activations lie close together.",
  "Hover over an icon to see the classes to which its cell contributes most; pin it to see the images it comes from.",
  "Highlight a class to see which cells contribute to it. Add others, and each cell takes the color of the class with the " +
    "largest attribution; the smaller the attribution, the paler the color.",
  "A comparison of two classes places its cells by the difference of their attributions to the two classes: the " +
    "further to one side, the more a cell contributes to the class named there.",
];

/** The closed dialog; `showModal()` opens it. `styles`: whether the run has several styles of icons. */
export function createHelpDialog(styles: boolean): HTMLDialogElement {
  const dialog = el("dialog", { class: "help", "aria-labelledby": "help-title" });
  const keys = el("dl", {});
  const offered = KEYS.filter(([, meaning]) => styles || meaning !== STYLE_KEY);
  for (const [key, meaning] of offered) keys.append(el("div", {}, el("dt", {}, key), el("dd", {}, meaning)));
  dialog.append(
    createButton(
      "Close help",
      createSvgIcon("M5 5 15 15", "M15 5 5 15"),
      () => dialog.close(),
      "icon-button close",
    ),
    el("h2", { id: "help-title" }, "Reading the atlas"),
    ...ABOUT.map((text) => el("p", {}, text)),
    el("h3", {}, "Keys"),
    keys,
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}
