// What stands before the pictures, so that no name is half hidden by it; measured only when something has changed.

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const EVENTS = ["transitionend", "animationend"] as const;

export class Furniture {
  private rectangles: Rectangle[] = [];
  private stale = true;
  private readonly resized = new ResizeObserver(() => this.changed());
  private readonly altered = new MutationObserver(() => this.changed());
  private readonly over = new AbortController();

  constructor(
    /** The canvas of the picture that the names stand on. */
    private readonly canvas: HTMLElement,
    private readonly redraw: () => void,
  ) {
    const page = canvas.closest(".stage");
    if (!page) return;
    const options = { attributes: true, attributeFilter: ["hidden", "class"] };
    this.altered.observe(page, { ...options, childList: true });
    this.resized.observe(canvas);
    for (const child of page.children) this.watch(child);
    for (const event of EVENTS)
      page.addEventListener(event, () => this.changed(), { signal: this.over.signal });
  }

  /** Look no more: the picture is about to go. */
  stop(): void {
    this.resized.disconnect();
    this.altered.disconnect();
    this.over.abort();
  }

  /** Whether something stands before this part of the canvas. */
  hides(part: Rectangle): boolean {
    if (this.stale) this.measure();
    return this.rectangles.some(
      ({ left, top, right, bottom }) =>
        left < part.right && part.left < right && top < part.bottom && part.top < bottom,
    );
  }

  private watch(child: Element): void {
    this.resized.observe(child); // an element that is shown or hidden changes its size
  }

  private changed(): void {
    this.stale = true;
    this.redraw();
  }

  private measure(): void {
    this.stale = false;
    const page = this.canvas.closest(".stage");
    const origin = this.canvas.getBoundingClientRect();
    const before = [...(page?.children ?? [])].filter((child) => !child.contains(this.canvas));
    for (const child of before) this.watch(child);
    this.rectangles = [...before, ...(this.canvas.closest(".pane")?.querySelectorAll("header") ?? [])]
      .map((element) => element.getBoundingClientRect())
      .filter(({ width }) => width > 0)
      .map(({ left, top, right, bottom }) => ({
        left: left - origin.left,
        top: top - origin.top,
        right: right - origin.left,
        bottom: bottom - origin.top,
      }));
  }
}
