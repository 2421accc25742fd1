// Crossfade between two states of the map: a snapshot fades out over the new one.

import type { Frame } from "./frame";

export class Crossfade {
  readonly canvas = document.createElement("canvas");
  private readonly snapshot = document.createElement("canvas");
  private from: Frame | null = null;
  private startTime = 0;
  /** Canvas pixels per CSS pixel. */
  private pixelRatio = 1;

  /**
   * @param source canvas of the map.
   * @param frame position of the atlas now, CSS pixels.
   * @param milliseconds duration of a crossfade.
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

  /** Take a snapshot and fade it out; it moves with the map. */
  start(): void {
    const source = this.source();
    [this.snapshot.width, this.snapshot.height] = [source.width, source.height];
    const context = this.snapshot.getContext("2d");
    context?.drawImage(source, 0, 0);
    if (!this.canvas.hidden) context?.drawImage(this.canvas, 0, 0); // of a crossfade in progress
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
