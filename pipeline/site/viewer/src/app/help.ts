// What this page is and which keys it knows.

import { createButton, createSvgIcon, el } from "../ui/dom";

const KEYS: readonly (readonly [string, string])[] = [
  ["← ↑ → ↓", "from cell to cell"],
  ["Enter", "pin the cell; once more, into its panel"],
  ["Esc", "take back the latest: tool, pin or region, cursor, second picture, classes"],
  ["+  −", "zoom"],
  ["Shift ← ↑ → ↓", "pan"],
  ["0", "the whole atlas"],
  [",  .", "coarser and finer grid"],
  ["a", "grid level by zoom"],
  ["l", "next layer"],
  ["b", "select a region: arrows and Enter at two corners"],
  ["f", "select with the lasso; Shift adds"],
  ["x", "take a cell into the selection, or out of it"],
  ["Shift drag", "select a region"],
  ["/", "search a class"],
  ["Shift Enter", "in the search: add the class, in a colour of its own"],
  ["s", "the chosen class at every layer"],
  ["o", "choose an atlas"],
  ["u", "cells with two uses"],
  ["p", "places and the tour"],
  ["c", "another layer or class side by side"],
  ["v", "colour the cells by samples, fidelity, reliability, spread"],
  ["n", "names on the picture, or none"],
  ["d", "mark the cells to doubt"],
  ["?", "this help"],
];

const ABOUT = [
  "Each picture is drawn by optimisation until the network answers to it as it answers, on average, to a group of " +
    "places in real images. Groups that the network sees alike lie close together.",
  "Point at a picture to see for which classes its group speaks; pin it to see the images it comes from.",
  "Highlight a class to see where the network finds it. Add others, and each cell takes the colour of the class for " +
    "which it speaks most, the paler the less it does.",
  "A comparison of two classes lays its groups out by what they say for one class rather than for the other: the " +
    "further to a side, the more for the class that is named there.",
];

/** The help, closed at first; `showModal()` opens it. */
export function createHelpDialog(): HTMLDialogElement {
  const dialog = el("dialog", { class: "help", "aria-labelledby": "help-title" });
  const keys = el("dl", {});
  for (const [key, meaning] of KEYS) keys.append(el("div", {}, el("dt", {}, key), el("dd", {}, meaning)));
  dialog.append(
    createButton(
      "Close the help",
      createSvgIcon("M5 5 15 15", "M15 5 5 15"),
      () => dialog.close(),
      "quiet close",
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
