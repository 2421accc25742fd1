// A soft change from one picture to the next: what was shown is held as it is, and fades over the new picture.

import type { Frame } from "./frame";

export class Crossfade {
  readonly canvas = document.createElement("canvas");
  private readonly held = document.createElement("canvas");
  private from: Frame | null = null;
  private began = 0;
  /** Pixels of the canvas for one of CSS. */
  private sharpness = 1;

  /**
   * @param shown what draws the pictures.
   * @param frame where the atlas lies now, CSS pixels.
   * @param milliseconds that a change takes.
   */
  constructor(
    private readonly shown: () => HTMLCanvasElement,
    private readonly frame: () => Frame,
    private readonly milliseconds: number,
  ) {
    this.canvas.className = "crossfade";
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.hidden = true;
  }

  /** Hold what is shown at this moment and let it fade; it moves along with the picture. */
  begin(): void {
    const shown = this.shown();
    [this.held.width, this.held.height] = [shown.width, shown.height];
    const context = this.held.getContext("2d");
    context?.drawImage(shown, 0, 0);
    if (!this.canvas.hidden) context?.drawImage(this.canvas, 0, 0); // of a change that is not over yet
    const running = this.from !== null;
    [this.canvas.width, this.canvas.height] = [shown.width, shown.height];
    this.sharpness = shown.width / Math.max(shown.clientWidth, 1);
    this.from = this.frame();
    this.began = performance.now();
    this.draw(this.began);
    this.canvas.hidden = false;
    if (!running) requestAnimationFrame((now) => this.step(now));
  }

  private step(now: number): void {
    if (now - this.began >= this.milliseconds) {
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
    context.globalAlpha = Math.min(Math.max(1 - (now - this.began) / this.milliseconds, 0), 1);
    const [left, top] = [to.left - from.left * ratio, to.top - from.top * ratio];
    const { held, sharpness } = this;
    context.drawImage(held, left * sharpness, top * sharpness, held.width * ratio, held.height * ratio);
  }
}
