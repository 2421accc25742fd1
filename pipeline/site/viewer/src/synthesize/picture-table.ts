// All pictures of a sheet: a table of rows and columns, or a contact sheet. On a phone the rows are stacked.

import { el } from "../ui/dom";
import { createFigure } from "./figure";
import { type Column, isContactSheet, type Row, type Sheet } from "./result";

const TALL = 3; // rows; the head of longer tables stays in view

export function createPictures(sheet: Sheet): HTMLElement {
  if (!sheet.rows.length) return el("p", { class: "empty nothing" }, "This run shows no pictures here.");
  return isContactSheet(sheet) ? createContactSheet(sheet) : createTable(sheet);
}

function createContactSheet(sheet: Sheet): HTMLElement {
  const items = sheet.rows.map((row, number) => {
    const name = el("p", { class: "about-picture" }, ...createRowName(row));
    return el("li", {}, createFigure(sheet, { row: number, column: 0 }, row.pictures[0] ?? null, [name]));
  });
  return el("ol", { class: "contact-sheet", "aria-label": "Pictures" }, ...items);
}

// The roles are given as the style sheet of a phone takes the table's layout, and with it its meaning, away.

function createTable(sheet: Sheet): HTMLElement {
  const { rows, columns } = sheet;
  const head = el(
    "tr",
    { role: "row" },
    el("td", { role: "cell", class: "corner" }),
    ...columns.map((column) =>
      el("th", { role: "columnheader", scope: "col" }, el("div", { class: "head" }, ...createHead(column))),
    ),
  );
  const table = el(
    "table",
    { role: "table", class: "syntheses" },
    el("caption", { class: "visually-hidden" }, "Pictures"),
    el("thead", { role: "rowgroup" }, head),
    el("tbody", { role: "rowgroup" }, ...rows.map((row, number) => createRow(sheet, row, number))),
  );
  table.style.setProperty("--columns", String(columns.length));
  const kind = rows.length > TALL ? "table whole tall" : "table whole";
  const region = el("div", { class: kind, tabindex: 0, role: "region", "aria-label": "Pictures" }, table);
  new ResizeObserver(() => {
    const fits = table.offsetWidth <= region.clientWidth;
    region.toggleAttribute("data-fits", fits);
    region.tabIndex = fits ? -1 : 0; // what does not scroll needs no keys
  }).observe(region);
  return region;
}

function createHead({ name, text, source }: Column): HTMLElement[] {
  return [
    el("span", { class: "name" }, name),
    ...(text ? [el("span", { class: "secondary" }, text)] : []),
    ...(source ? [el("span", { class: "secondary source" }, source)] : []),
  ];
}

function createRow(sheet: Sheet, row: Row, number: number): HTMLElement {
  const cells = row.pictures.map((picture, column) =>
    el(
      "td",
      { role: "cell" },
      el("p", { class: "column-name", "aria-hidden": "true" }, sheet.columns[column]?.name ?? ""),
      createFigure(sheet, { row: number, column }, picture),
    ),
  );
  return el(
    "tr",
    { role: "row" },
    el("th", { role: "rowheader", scope: "row" }, ...createRowName(row)),
    ...cells,
  );
}

function createRowName({ name, text }: Row): HTMLElement[] {
  return [
    el("span", { class: "name" }, name),
    ...(text ? [el("span", { class: "secondary key-of-image" }, text)] : []),
  ];
}
