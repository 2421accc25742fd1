// The user's bookmarks, stored by the browser if it has storage for this page.

import { describePosition } from "../data/area";
import { find, type Manifest } from "../data/manifest";
import { fromHash } from "../state/url-hash";
import { el } from "../ui/dom";
import { createAtlasPreview, createIcon } from "../ui/icons";

export interface SavedBookmark {
  readonly title: string;
  /** URL hash without `#`. */
  readonly link: string;
}

export const MAX_TITLE_LENGTH = 60;
const MAX_BOOKMARKS = 200;
const STORAGE_KEY = `atlas-places:${location.pathname.replace(/[^/]*$/, "")}`; // pages opened from disk share one storage

export class BookmarkStorage {
  private bookmarks: readonly SavedBookmark[] = [];
  /** Whether they outlast the page. */
  persists = true;

  constructor() {
    this.read();
  }

  get list(): readonly SavedBookmark[] {
    return this.bookmarks;
  }

  add(bookmark: SavedBookmark): void {
    const title = bookmark.title.trim().slice(0, MAX_TITLE_LENGTH);
    this.read();
    this.store([...this.bookmarks.slice(1 - MAX_BOOKMARKS), { title, link: bookmark.link }]);
  }

  remove(bookmark: SavedBookmark): void {
    this.read();
    const at = this.bookmarks.findIndex(
      ({ title, link }) => title === bookmark.title && link === bookmark.link,
    );
    this.store(this.bookmarks.filter((_, index) => index !== at));
  }

  /** Read the storage: another tab may have written it. */
  private read(): void {
    if (!this.persists) return;
    try {
      this.bookmarks = parseBookmarks(localStorage.getItem(STORAGE_KEY));
    } catch {
      this.persists = false;
    }
  }

  private store(bookmarks: readonly SavedBookmark[]): void {
    this.bookmarks = bookmarks;
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(bookmarks));
    } catch {
      this.persists = false; // refused, or full
    }
  }
}

/** Bookmarks in the storage, which anybody may have written. */
function parseBookmarks(text: string | null): SavedBookmark[] {
  let found: unknown;
  try {
    found = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(found) ? found.filter(isSavedBookmark).slice(0, MAX_BOOKMARKS) : [];
}

function isSavedBookmark(found: unknown): found is SavedBookmark {
  const { title, link } = (found ?? {}) as Record<string, unknown>;
  return typeof title === "string" && typeof link === "string" && title.length <= MAX_TITLE_LENGTH;
}

// Button of a bookmark: preview, title and description.

export function createBookmarkButton(
  manifest: Manifest,
  { title, text, link }: { title: string; text: string; link: string },
  go: () => void,
): HTMLButtonElement {
  const state = fromHash(link, manifest);
  const { layer, atlas } = find(manifest, state.layer, state.atlas, state.style);
  const preview = state.pin
    ? createIcon(layer.name, atlas, state.pin)
    : createAtlasPreview(layer.name, atlas);
  const textElement = el(
    "span",
    { class: "text" },
    el("span", { class: "name" }, title),
    text ? el("span", { class: "summary" }, text) : null,
    el("span", { class: "secondary" }, describeLink(manifest, link)),
  );
  const row = el("button", { type: "button", class: "bookmark" }, preview, textElement);
  row.addEventListener("click", go);
  return row;
}

/** Short description of a link. */
export function describeLink(manifest: Manifest, link: string): string {
  const { layer, atlas, classId, also, pin } = fromHash(link, manifest);
  const names = find(manifest, layer, atlas).atlas.classes;
  const className = (id: number): string => manifest.network.classes[id] ?? `class ${id}`;
  const classIds = classId === null ? [] : [classId, ...also];
  return [
    layer,
    ...(names.length ? [names.map(className).join(" ↔ ")] : []),
    ...(classIds.length ? [`highlighting ${classIds.map(className).join(", ")}`] : []),
    ...(pin ? [`${describePosition(pin)} of ${pin.size}`] : []),
  ].join(" · ");
}
