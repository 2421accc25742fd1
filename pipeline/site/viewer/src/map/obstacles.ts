// Page elements in front of a map: labels avoid them, and the map keeps what it shows clear of them. They are measured
// only after a change.

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const EVENTS = ["transitionend", "animationend"] as const;
const LAYOUTS = ["data-pinned", "data-region", "data-own-image", "data-split", "data-tour"]; // of the root: they show, hide and move elements

export class Obstacles {
  private found: readonly Rectangle[] = [];
  private isStale = true;
  private readonly listeners: (() => void)[] = [];
  private readonly resizeObserver = new ResizeObserver(() => this.invalidate());
  private readonly mutationObserver = new MutationObserver(() => this.invalidate());
  private readonly aborter = new AbortController();
  private readonly page: HTMLElement | null;

  constructor(
    /** Element of the map. */
    private readonly pane: HTMLElement,
  ) {
    this.page = pane.closest(".map-area");
    if (!this.page) return;
    const options = { attributes: true, attributeFilter: ["hidden", "class"] };
    this.mutationObserver.observe(this.page, { ...options, childList: true });
    this.mutationObserver.observe(document.documentElement, { attributes: true, attributeFilter: LAYOUTS });
    this.mutationObserver.observe(pane, { childList: true });
    this.resizeObserver.observe(pane);
    for (const child of this.page.children) this.resizeObserver.observe(child);
    for (const event of EVENTS)
      this.page.addEventListener(event, () => this.invalidate(), { signal: this.aborter.signal });
  }

  /** Disconnect the observers before the map is destroyed. */
  stop(): void {
    this.resizeObserver.disconnect();
    this.mutationObserver.disconnect();
    this.aborter.abort();
  }

  /** Call back after an element has appeared, disappeared, moved or changed its size. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The elements, in CSS pixels of the map. */
  get rectangles(): readonly Rectangle[] {
    if (this.isStale) this.measure();
    return this.found;
  }

  /** Whether an element covers this part of the map. */
  covers(part: Rectangle): boolean {
    return this.rectangles.some((obstacle) => intersect(obstacle, part));
  }

  private invalidate(): void {
    this.isStale = true;
    for (const listener of this.listeners) listener();
  }

  private measure(): void {
    this.isStale = false;
    const { page, pane } = this;
    if (!page) return;
    const { left: x, top: y } = pane.getBoundingClientRect();
    const { left, top } = page.getBoundingClientRect();
    const before = [...page.children].filter((child) => !child.contains(pane));
    const within = [...pane.querySelectorAll("header")];
    // an element that is shown or hidden changes its size
    for (const element of [...before, ...within]) this.resizeObserver.observe(element);
    this.found = [
      ...before.map((element) => bounds(element, left - x, top - y)),
      ...within.map((element) => bounds(element, 0, 0)),
    ].filter((rectangle) => rectangle !== null);
  }
}

/** Where an element comes to rest, without the movement of an animation; null where it is not visible. */
function bounds(element: Element, x: number, y: number): Rectangle | null {
  if (!(element instanceof HTMLElement) || !element.checkVisibility({ visibilityProperty: true }))
    return null;
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = element;
  if (!offsetWidth) return null;
  const [left, top] = [x + offsetLeft, y + offsetTop];
  return { left, top, right: left + offsetWidth, bottom: top + offsetHeight };
}

export function intersect(one: Rectangle, other: Rectangle): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

// The part of a map that its obstacles leave free.

const GAP = 8; // CSS pixels between an obstacle and what keeps clear of it

/**
 * The rectangle without an obstacle that is best by `worth`, of those of equal worth the largest: one of those whose
 * edges are edges of the map or of obstacles, since any other lies within one of these.
 *
 * @param width of the map, CSS pixels.
 * @param height likewise.
 * @param obstacles in CSS pixels of the map.
 * @param worth of a free rectangle of this width and height.
 */
export function freeRectangle(
  width: number,
  height: number,
  obstacles: readonly Rectangle[],
  worth: (width: number, height: number) => number,
): Rectangle {
  const around = obstacles.map(({ left, top, right, bottom }) => ({
    left: left - GAP,
    top: top - GAP,
    right: right + GAP,
    bottom: bottom + GAP,
  }));
  const columns = edges(
    width,
    around.flatMap(({ left, right }) => [left, right]),
  );
  const rows = edges(
    height,
    around.flatMap(({ top, bottom }) => [top, bottom]),
  );
  let best: Rectangle = { left: 0, top: 0, right: width, bottom: height };
  let [most, area] = [Number.NEGATIVE_INFINITY, 0];
  for (const [left, right] of spans(columns)) {
    const beside = around.filter((each) => each.left < right && left < each.right);
    for (const [top, bottom] of spans(rows)) {
      const [value, size] = [worth(right - left, bottom - top), (right - left) * (bottom - top)];
      if (value < most || (value === most && size <= area)) continue;
      if (beside.some((each) => each.top < bottom && top < each.bottom)) continue;
      [best, most, area] = [{ left, top, right, bottom }, value, size];
    }
  }
  return best;
}

function edges(length: number, found: readonly number[]): number[] {
  const inside = found.filter((edge) => edge > 0 && edge < length);
  return [...new Set([0, ...inside, length])].sort((one, other) => one - other);
}

function spans(sorted: readonly number[]): [number, number][] {
  return sorted.flatMap((from, index) => sorted.slice(index + 1).map((to): [number, number] => [from, to]));
}
