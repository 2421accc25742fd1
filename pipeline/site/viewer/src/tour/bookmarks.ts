// The reader's own places, kept by the browser where it keeps anything for this page.

import { find, type Manifest } from "../data/manifest";
import { fromHash } from "../state/url-hash";
import { el } from "../ui/dom";
import { icon, miniature } from "../ui/icons";

export interface Saved {
  readonly title: string;
  /** The part of the page's address after `#`. */
  readonly link: string;
}

export const LONGEST_TITLE = 60;
const MOST = 200;
const KEY = `atlas-places:${location.pathname.replace(/[^/]*$/, "")}`; // pages opened from disk share one storage

export class SavedPlaces {
  private kept: readonly Saved[] = [];
  /** Whether they outlast the page. */
  lasting = true;

  constructor() {
    this.read();
  }

  get list(): readonly Saved[] {
    return this.kept;
  }

  add(place: Saved): void {
    const title = place.title.trim().slice(0, LONGEST_TITLE);
    this.read();
    this.keep([...this.kept.slice(1 - MOST), { title, link: place.link }]);
  }

  remove(place: Saved): void {
    this.read();
    const at = this.kept.findIndex(({ title, link }) => title === place.title && link === place.link);
    this.keep(this.kept.filter((_, index) => index !== at));
  }

  /** Take over what the browser keeps: another tab may have written it. */
  private read(): void {
    if (!this.lasting) return;
    try {
      this.kept = saved(localStorage.getItem(KEY));
    } catch {
      this.lasting = false;
    }
  }

  private keep(places: readonly Saved[]): void {
    this.kept = places;
    try {
      localStorage.setItem(KEY, JSON.stringify(places));
    } catch {
      this.lasting = false; // refused, or full
    }
  }
}

/** What a text in the storage holds; anybody may have written it. */
function saved(text: string | null): Saved[] {
  let found: unknown;
  try {
    found = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(found) ? found.filter(isSaved).slice(0, MOST) : [];
}

function isSaved(found: unknown): found is Saved {
  const { title, link } = (found ?? {}) as Record<string, unknown>;
  return typeof title === "string" && typeof link === "string" && title.length <= LONGEST_TITLE;
}

// A place in the list: what is seen there, its title and what is said of it.

export function placeRow(
  manifest: Manifest,
  { title, text, link }: { title: string; text: string; link: string },
  go: () => void,
): HTMLButtonElement {
  const state = fromHash(link, manifest);
  const { layer, atlas } = find(manifest, state.layer, state.atlas);
  const face = state.pin ? icon(layer.name, atlas, state.pin) : miniature(layer.name, atlas);
  const words = el(
    "span",
    { class: "text" },
    el("span", { class: "name" }, title),
    text ? el("span", { class: "said" }, text) : null,
    el("span", { class: "fine" }, where(manifest, link)),
  );
  const row = el("button", { type: "button", class: "place" }, face, words);
  row.addEventListener("click", go);
  return row;
}

/** Where a link leads, in a few words. */
export function where(manifest: Manifest, link: string): string {
  const { layer, atlas, classId, also, pin } = fromHash(link, manifest);
  const names = find(manifest, layer, atlas).atlas.classes;
  const named = (id: number): string => manifest.network.classes[id] ?? `class ${id}`;
  const lit = classId === null ? [] : [classId, ...also];
  return [
    layer,
    ...(names.length ? [names.map(named).join(" ↔ ")] : []),
    ...(lit.length ? [`highlighting ${lit.map(named).join(", ")}`] : []),
    ...(pin ? [`row ${pin.row + 1}, column ${pin.column + 1} of ${pin.size}`] : []),
  ].join(" · ");
}
