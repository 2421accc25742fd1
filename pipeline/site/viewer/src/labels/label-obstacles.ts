// Page elements in front of a map that labels must avoid; measured only after a change.

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const EVENTS = ["transitionend", "animationend"] as const;

export class LabelObstacles {
  private rectangles: Rectangle[] = [];
  private isStale = true;
  private readonly resizeObserver = new ResizeObserver(() => this.invalidate());
  private readonly mutationObserver = new MutationObserver(() => this.invalidate());
  private readonly aborter = new AbortController();

  constructor(
    /** Canvas of the map with the labels. */
    private readonly canvas: HTMLElement,
    private readonly redraw: () => void,
  ) {
    const page = canvas.closest(".map-area");
    if (!page) return;
    const options = { attributes: true, attributeFilter: ["hidden", "class"] };
    this.mutationObserver.observe(page, { ...options, childList: true });
    this.resizeObserver.observe(canvas);
    for (const child of page.children) this.observe(child);
    for (const event of EVENTS)
      page.addEventListener(event, () => this.invalidate(), { signal: this.aborter.signal });
  }

  /** Disconnect the observers before the map is destroyed. */
  stop(): void {
    this.resizeObserver.disconnect();
    this.mutationObserver.disconnect();
    this.aborter.abort();
  }

  /** Whether an element covers this part of the canvas. */
  covers(part: Rectangle): boolean {
    if (this.isStale) this.measure();
    return this.rectangles.some(
      ({ left, top, right, bottom }) =>
        left < part.right && part.left < right && top < part.bottom && part.top < bottom,
    );
  }

  private observe(child: Element): void {
    this.resizeObserver.observe(child); // an element that is shown or hidden changes its size
  }

  private invalidate(): void {
    this.isStale = true;
    this.redraw();
  }

  private measure(): void {
    this.isStale = false;
    const page = this.canvas.closest(".map-area");
    const origin = this.canvas.getBoundingClientRect();
    const before = [...(page?.children ?? [])].filter((child) => !child.contains(this.canvas));
    for (const child of before) this.observe(child);
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
