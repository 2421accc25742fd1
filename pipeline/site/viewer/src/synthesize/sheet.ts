// The sheet of a method: what it does, notes, charts, pictures, and what their numbers mean.

import { SYNTHESIS_NAMES } from "../data/syntheses";
import { el } from "../ui/dom";
import { createCurves } from "./curves";
import { METHOD_TEXTS } from "./methods";
import { createPictures } from "./picture-table";
import { type Measure, type Sheet, sheetFile } from "./result";

export function createSheet(sheet: Sheet): HTMLElement[] {
  const { what, reading, source } = METHOD_TEXTS[sheet.method];
  const parts = [
    createNotes(sheet.notes),
    createCurves(sheet.curves),
    createPictures(sheet),
    createLegend(sheet.measures),
    createDownloads(sheet),
    createSettings(sheet),
  ];
  return [
    el("h2", {}, SYNTHESIS_NAMES[sheet.method]),
    el("p", { class: "summary" }, `${what} ${reading}`),
    ...(source ? [el("p", { class: "source" }, source)] : []),
    ...parts.filter((part) => part !== null),
  ];
}

function createNotes(notes: readonly string[]): HTMLElement | null {
  if (!notes.length) return null;
  return el(
    "ul",
    { class: "run-notes", "aria-label": "Notes on this run" },
    ...notes.map((note) => el("li", {}, note)),
  );
}

function createLegend(measures: readonly Measure[]): HTMLElement | null {
  if (!measures.length) return null;
  const entries = measures.map(({ label, text }) => el("div", {}, el("dt", {}, label), el("dd", {}, text)));
  return el(
    "div",
    { class: "numbers-legend" },
    el("h3", {}, "The numbers below the pictures"),
    el("dl", { class: "measures" }, ...entries),
  );
}

function createDownloads({ method, downloads }: Sheet): HTMLElement | null {
  if (!downloads.length) return null;
  const links = downloads.map((name) =>
    el("li", {}, el("a", { href: sheetFile(method, name), download: name }, name)),
  );
  return el("div", { class: "downloads" }, el("h3", {}, "Files"), el("ul", {}, ...links));
}

function createSettings({ method, settings }: Sheet): HTMLElement {
  const rows = Object.entries(settings).map(([name, value]) =>
    el("div", {}, el("dt", {}, `synthesize.${method}.${name}`), el("dd", {}, formatValue(value))),
  );
  return el("details", { class: "settings" }, el("summary", {}, "Settings"), el("dl", {}, ...rows));
}

function formatValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
