// The reader's own places, kept by the browser where it keeps anything for this page.

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
