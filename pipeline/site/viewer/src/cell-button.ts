// A cell as a button: its icon with a few words below, which leads to the cell.

import { el } from "./dom";
import { icon } from "./icon";
import type { LevelData } from "./level-data";
import type { AtlasEntry } from "./manifest";
import type { CellAddress } from "./state";

export interface Shown {
  readonly layer: string;
  readonly atlas: AtlasEntry;
  readonly level: LevelData;
  readonly cell: number;
}

export function addressOf({ level, cell }: Pick<Shown, "level" | "cell">): CellAddress {
  return { size: level.size, row: level.row(cell), column: level.column(cell) };
}

/** A cell in words: its layer, its place and the class that it speaks for most. */
export function cellName(names: readonly string[], shown: Shown): string {
  const { row, column } = addressOf(shown);
  const best = shown.level.topClasses(shown.cell)[0];
  const speaks = best ? `, speaks for ${names[best.id] ?? best.id}` : "";
  return `${shown.layer}, row ${row + 1}, column ${column + 1}${speaks}`;
}

/** The button; `caption` stands below the icon, `label` is its accessible name. */
export function cellButton(shown: Shown, caption: string, label: string, press: () => void): HTMLElement {
  const made = el("button", { type: "button", class: "relative", title: label, "aria-label": label });
  made.append(icon(shown.layer, shown.atlas, addressOf(shown)), el("span", { class: "share" }, caption));
  made.addEventListener("click", press);
  return made;
}
