// Search over all classes: a text field with a list (ARIA combobox pattern).

import { atlasesOf, atlasName, type Manifest } from "../data/manifest";
import { isRecorded } from "../data/recorded";
import { openAtlas } from "../map/navigation";
import type { HighlightedClass } from "../state/class-selection";
import type { Store } from "../state/state";
import { createSvgIcon, el } from "../ui/dom";

const MAX_RESULTS = 60;
const HIGHLIGHT_LABEL = "Highlight a class";
const ADD_LABEL = "Add a class to the highlighted classes";

/** Another action for a class besides highlighting it. */
export interface SearchAction {
  readonly text: string;
  run(): void;
}

export interface SearchActions {
  /** Highlight only this class. */
  choose(id: number): void;
  /** Add a class to the highlighted classes. */
  add(id: number): void;
  actionsFor(id: number): readonly SearchAction[];
  highlighted(): readonly HighlightedClass[];
  help(): void;
}

interface SearchResult {
  readonly id: number;
  readonly action: SearchAction | null;
}

export class Search {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly list = el("ul", {
    role: "listbox",
    "aria-label": "Classes",
    tabindex: "-1",
    hidden: true,
  });
  private readonly names: readonly string[];
  private results: SearchResult[] = [];
  private active = -1;
  private adding = false;

  /** Hidden where no attributions were recorded: there is nothing to highlight. */
  constructor(
    manifest: Manifest,
    private readonly actions: SearchActions,
    id = "classes",
  ) {
    this.names = manifest.network.classes;
    this.list.id = id;
    this.input = el("input", {
      type: "text",
      role: "combobox",
      "aria-label": HIGHLIGHT_LABEL,
      "aria-description":
        "Enter highlights only this class; Shift and Enter add it to the highlighted classes.",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
    });
    const glass = createSvgIcon("M8.5 3a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z", "m12.5 12.5 4.5 4.5");
    this.element = el("div", { class: "search" }, glass, this.input, this.list);
    this.element.hidden = !isRecorded(manifest, "attributions");
    this.input.addEventListener("input", () => this.open());
    this.input.addEventListener("focus", () => this.open());
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // keep the focus in the field
    this.setMode(false);
  }

  /** Focus the field to add classes to the highlighted ones. */
  startAdding(): void {
    this.setMode(true);
    this.input.focus();
  }

  private setMode(adding: boolean): void {
    this.adding = adding;
    this.input.setAttribute("aria-label", adding ? ADD_LABEL : HIGHLIGHT_LABEL);
    this.input.placeholder = adding ? "Add a class" : `Search ${this.names.length} classes`;
  }

  private open(): void {
    const classes = findClasses(this.names, this.input.value).slice(0, MAX_RESULTS);
    this.results = classes.flatMap((id) => [
      { id, action: null },
      ...(this.adding ? [] : this.actions.actionsFor(id)).map((action) => ({ id, action })),
    ]);
    this.active = this.input.value && this.results.length ? 0 : -1;
    this.fill();
    this.list.scrollTop = 0;
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.highlight();
  }

  private fill(): void {
    const colors = new Map(this.actions.highlighted().map(({ id, hue }) => [id, hue + 1]));
    this.list.replaceChildren(...this.results.map((results, index) => this.option(results, index, colors)));
    const emptyOption = { role: "option", class: "empty", "aria-disabled": "true" };
    if (!this.results.length) this.list.append(el("li", emptyOption, "No matching class"));
  }

  private close(): void {
    this.setMode(false);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  private option(results: SearchResult, index: number, colors: ReadonlyMap<number, number>): HTMLElement {
    const { id, action } = results;
    const option = el(
      "li",
      {
        role: "option",
        id: `${this.list.id}-${index}`,
        class: action && "search-action",
        "aria-selected": "false",
      },
      action?.text ?? this.names[id] ?? "",
    );
    option.addEventListener("click", (event) => this.choose(results, event.shiftKey));
    if (action) return option;
    const hue = colors.get(id) ?? null;
    if (hue) option.setAttribute("aria-description", "highlighted");
    option.append(createMark(hue, () => this.choose(results, true)));
    return option;
  }

  private choose({ id, action }: SearchResult, add: boolean): void {
    if (!action && (add || this.adding)) {
      this.actions.add(id);
      this.fill();
      this.highlight();
      this.input.select(); // ready for the next class
      return;
    }
    this.input.value = "";
    this.input.blur();
    if (action) action.run();
    else this.actions.choose(id);
  }

  private key(event: KeyboardEvent): void {
    // the keys that lead here and to the help, pressed again before anything is typed
    if (!this.input.value && (event.key === "/" || event.key === "?")) {
      event.preventDefault();
      if (event.key === "?") this.actions.help();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      if (this.list.hidden) this.open();
      this.active = Math.min(Math.max(this.active + step, 0), this.results.length - 1);
      this.highlight();
    } else if (event.key === "Enter") {
      const results = this.results[this.active];
      if (results && !this.list.hidden) this.choose(results, event.shiftKey);
    } else if (event.key === "Escape") {
      this.input.value = "";
      this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private highlight(): void {
    this.input.removeAttribute("aria-activedescendant");
    this.list.querySelectorAll('[role="option"]').forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.active));
      if (index !== this.active) return;
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    });
  }
}

/**
 * Classes whose name contains the text: first those that start with it, then those with a word that does. If there are
 * none, those with a word that starts with nearly the same letters, fewest differences first.
 */
export function findClasses(names: readonly string[], text: string): number[] {
  const wanted = text.trim().toLocaleLowerCase();
  const lower = names.map((name) => name.toLocaleLowerCase());
  const ranked = lower
    .map((name, id) => ({ id, at: name.indexOf(wanted), name }))
    .filter(({ at }) => at >= 0)
    .map(({ id, at, name }) => ({ id, rank: at === 0 ? 0 : name[at - 1] === " " ? 1 : 2 }));
  const found = ranked.length ? ranked : nearlyMatching(lower, wanted);
  return found.sort((one, other) => one.rank - other.rank || one.id - other.id).map(({ id }) => id);
}

const [ONE_FROM, TWO_FROM] = [3, 6]; // letters from which one or two may be wrong

/** Classes whose name, from its start or from a word, begins with the text up to one or two wrong letters. */
function nearlyMatching(names: readonly string[], wanted: string): { id: number; rank: number }[] {
  const allowed = wanted.length < ONE_FROM ? 0 : wanted.length < TWO_FROM ? 1 : 2;
  if (!allowed) return [];
  return names.flatMap((name, id) => {
    const starts = [0, ...Array.from(name.matchAll(/[\s,-]+/g), ({ index, 0: gap }) => index + gap.length)];
    const rank = Math.min(...starts.map((start) => prefixDistance(wanted, name.slice(start))));
    return rank <= allowed ? [{ id, rank }] : [];
  });
}

/**
 * Least number of wrong, missing, additional or exchanged neighboring letters between a text and any prefix of another
 * (optimal string alignment: Damerau 1964, "A technique for computer detection and correction of spelling errors").
 */
export function prefixDistance(text: string, whole: string): number {
  const length = Math.min(whole.length, text.length + 2);
  let before: number[] = [];
  let row = Array.from({ length: length + 1 }, (_, at) => at);
  for (let down = 1; down <= text.length; down++) {
    const next = [down];
    for (let at = 1; at <= length; at++) {
      const same = text[down - 1] === whole[at - 1] ? 0 : 1;
      let cost = Math.min((row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1, (row[at - 1] ?? 0) + same);
      const exchanged = text[down - 1] === whole[at - 2] && text[down - 2] === whole[at - 1];
      if (down > 1 && at > 1 && exchanged) cost = Math.min(cost, (before[at - 2] ?? 0) + 1);
      next.push(cost);
    }
    [before, row] = [row, next];
  }
  return Math.min(...row);
}

/**
 * End of an option: the color of a highlighted class, or else a button that adds the class. The button is for pointers;
 * keyboards use Shift and Enter, screen readers the class toolbar.
 *
 * @param hue counted from 1; null if the class is not highlighted.
 */
export function createMark(hue: number | null, add: () => void): HTMLElement {
  const mark = el("span", { class: hue ? "dot" : "add", "data-hue": hue, "aria-hidden": "true" });
  if (hue) return mark;
  mark.append(createSvgIcon("M10 5v10", "M5 10h10"));
  mark.title = "Add to the highlighted classes";
  mark.addEventListener("click", (event) => {
    event.stopPropagation(); // the option itself highlights only this class
    add();
  });
  return mark;
}

/** Actions of a class besides highlighting: open its atlas or its comparisons. `onRun` is called after an action. */
export function searchActionsOf(
  manifest: Manifest,
  store: Store,
  classId: number,
  onRun: () => void,
): SearchAction[] {
  return atlasesOf(manifest, classId).map((atlas) => {
    const name = atlasName(manifest, atlas);
    return {
      text: atlas.kind === "class" ? `Atlas of ${name}` : name,
      run: () => {
        openAtlas(manifest, store, atlas.name);
        onRun();
      },
    };
  });
}
