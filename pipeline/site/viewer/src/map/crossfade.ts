// A soft change from one picture to the next: what was shown is held as it is, and fades over the new picture.

import type { Frame } from "./frame";

export class Crossfade {
  readonly canvas = document.createElement("canvas");
  private readonly snapshot = document.createElement("canvas");
  private from: Frame | null = null;
  private startTime = 0;
  /** Pixels of the canvas for one of CSS. */
  private pixelRatio = 1;

  /**
   * @param shown what draws the pictures.
   * @param frame where the atlas lies now, CSS pixels.
   * @param milliseconds that a change takes.
   */
  constructor(
    private readonly source: () => HTMLCanvasElement,
    private readonly frame: () => Frame,
    private readonly milliseconds: number,
  ) {
    this.canvas.className = "crossfade";
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.hidden = true;
  }

  /** Hold what is shown at this moment and let it fade; it moves along with the picture. */
  start(): void {
    const source = this.source();
    [this.snapshot.width, this.snapshot.height] = [source.width, source.height];
    const context = this.snapshot.getContext("2d");
    context?.drawImage(source, 0, 0);
    if (!this.canvas.hidden) context?.drawImage(this.canvas, 0, 0); // of a change that is not over yet
    const running = this.from !== null;
    [this.canvas.width, this.canvas.height] = [source.width, source.height];
    this.pixelRatio = source.width / Math.max(source.clientWidth, 1);
    this.from = this.frame();
    this.startTime = performance.now();
    this.draw(this.startTime);
    this.canvas.hidden = false;
    if (!running) requestAnimationFrame((now) => this.step(now));
  }

  private step(now: number): void {
    if (now - this.startTime >= this.milliseconds) {
      this.canvas.hidden = true;
      this.from = null;
      return;
    }
    this.draw(now);
    requestAnimationFrame((next) => this.step(next));
  }

  private draw(now: number): void {
    const context = this.canvas.getContext("2d");
    if (!context || !this.from) return;
    const { from } = this;
    const to = this.frame();
    const ratio = to.side / from.side;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.globalAlpha = Math.min(Math.max(1 - (now - this.startTime) / this.milliseconds, 0), 1);
    const [left, top] = [to.left - from.left * ratio, to.top - from.top * ratio];
    const { snapshot, pixelRatio } = this;
    context.drawImage(
      snapshot,
      left * pixelRatio,
      top * pixelRatio,
      snapshot.width * ratio,
      snapshot.height * ratio,
    );
  }
}
