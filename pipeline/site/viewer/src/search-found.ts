// What the search finds, and how it shows that a class is or can be among the highlighted ones.

import { drawing, el } from "./dom";

/** Classes whose name holds the text: first those that begin with it, then those with a word that does. */
export function matches(names: readonly string[], text: string): number[] {
  const wanted = text.trim().toLocaleLowerCase();
  const ranked = names
    .map((name, id) => ({ id, at: name.toLocaleLowerCase().indexOf(wanted), name: name.toLocaleLowerCase() }))
    .filter(({ at }) => at >= 0)
    .map(({ id, at, name }) => ({ id, rank: at === 0 ? 0 : name[at - 1] === " " ? 1 : 2 }));
  return ranked.sort((one, other) => one.rank - other.rank || one.id - other.id).map(({ id }) => id);
}

/**
 * The end of an option: the colour of a class that is highlighted, else a cross that adds it. The cross is for
 * pointers; keys have Shift and Enter, and screen readers the lens, which opens the search for adding.
 *
 * @param hue counted from 1; null where the class is not highlighted.
 */
export function mark(hue: number | null, add: () => void): HTMLElement {
  const made = el("span", { class: hue ? "dot" : "add", "data-hue": hue, "aria-hidden": "true" });
  if (hue) return made;
  made.append(drawing("M10 5v10", "M5 10h10"));
  made.title = "Add to the highlighted classes";
  made.addEventListener("click", (event) => {
    event.stopPropagation(); // the option itself highlights the class alone
    add();
  });
  return made;
}
