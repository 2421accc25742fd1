// The names on a picture: few and large on the whole atlas, more and smaller ones the closer one looks.

import type { Frame } from "../map/frame";
import type { Overlay, OverlayLayer } from "../map/overlay";
import type { Picture } from "../map/picture";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import type { Colour } from "../ui/colors";
import { el } from "../ui/dom";
import { cellLabels, type Label, regionLabels } from "./label-candidates";
import { Layout } from "./label-layout";
import { Furniture, type Rectangle } from "./label-obstacles";
import { HALO, type Lettered, Lettering, leastSide } from "./label-sprites";

const FADE_MS = 200;
const MOST_CELLS = 4000;
const NARROW = 640; // pixels; narrower pictures bear smaller names
const SMALLER = 0.7;

export interface Written extends Rectangle {
  readonly text: string;
}

export class Names implements OverlayLayer {
  private readonly lettering = new Lettering();
  private readonly furniture: Furniture;
  private readonly told: NamesTold;
  private readonly still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  private readonly opacity = new Map<Lettered, number>();
  private layout: Layout<Lettered> | null = null;
  private made = "";
  private regions: { readonly of: string; readonly names: readonly Lettered[] } = { of: "", names: [] };
  /** The layout with the names of single cells, made once they are large enough to bear any. */
  private cells: { readonly from: number; make(): Layout<Lettered> } | null = null;
  private last = 0;
  private awaited = 0;

  constructor(
    private readonly classes: readonly string[],
    private readonly picture: Picture,
    private readonly overlay: Overlay,
    private readonly store: Store,
    private readonly report: (error: unknown) => void,
  ) {
    const canvas = picture.viewer.canvas as HTMLElement;
    this.furniture = new Furniture(canvas, () => overlay.draw());
    this.told = new NamesTold(canvas, () => this.written.map(({ text }) => text));
    picture.onRest(() => this.told.renew());
  }

  /** Look no more at what stands before the picture, which is about to go. */
  stop(): void {
    this.furniture.stop();
  }

  rebuild(scene: Scene, colour: (name: string) => Colour): void {
    const style = getComputedStyle(document.documentElement);
    const css = (name: string): string => `rgb(${colour(name).join(" ")})`;
    this.lettering.dip({
      ink: css("--ink"),
      paper: css("--paper"),
      serif: style.getPropertyValue("--serif"),
      sans: style.getPropertyValue("--sans"),
    });
    const wanted = this.wanted(scene) ? scene.level.name : "";
    if (wanted === this.made) return;
    this.made = wanted;
    this.told.renew();
    if (wanted) this.prepare(scene).catch(this.report);
    else this.layout = this.cells = null;
  }

  over(context: CanvasRenderingContext2D, frame: Frame): void {
    const now = performance.now();
    const step = this.still ? 1 : Math.min((now - this.last) / FADE_MS, 0.25);
    this.last = now;
    const shown = new Set(this.inSight(frame));
    for (const name of shown) if (!this.opacity.has(name)) this.opacity.set(name, 0);
    let moving = false;
    for (const [name, before] of this.opacity) {
      const after = Math.min(Math.max(before + (shown.has(name) ? step : -step), 0), 1);
      moving ||= after > 0 && after < 1;
      if (after > 0) this.opacity.set(name, after);
      else this.opacity.delete(name);
      this.write(context, name, frame, after);
    }
    context.globalAlpha = 1;
    if (moving && !this.awaited) this.awaited = requestAnimationFrame(() => this.again());
  }

  /** What is written now, in CSS pixels of the canvas. */
  get written(): Written[] {
    const frame = this.picture.frame();
    return [...this.opacity.keys()].map((name) => ({ text: name.text, ...box(name, frame) }));
  }

  private again(): void {
    this.awaited = 0;
    this.overlay.draw();
  }

  private wanted({ atlas, highlights, density }: Scene): boolean {
    return this.store.state.labels && atlas.heat !== null && !highlights.length && !density;
  }

  private async prepare({ layer, atlas, level }: Scene): Promise<void> {
    const scale = this.picture.viewer.canvas.clientWidth < NARROW ? SMALLER : 1;
    const write = (label: Label): Lettered => this.lettering.lettered(label, scale);
    const of = `${layer.name}/${atlas.name}/${scale}`;
    const labels = atlas.names ? await regionLabels(layer.name, atlas.name, this.classes) : [];
    if (level.name !== this.made) return;
    if (of !== this.regions.of) {
      this.regions = { of, names: labels.map(write) };
      this.opacity.clear();
    }
    const { names } = this.regions;
    this.layout = new Layout(names);
    this.cells = {
      from: leastSide(level.size),
      make: () => new Layout([...names, ...cellLabels(level, this.classes, MOST_CELLS).map(write)]),
    };
    this.overlay.draw();
    this.told.renew();
  }

  /** The names that lie in the window as a whole, with nothing before them. */
  private inSight(frame: Frame): Lettered[] {
    const { clientWidth, clientHeight } = this.picture.viewer.canvas;
    if (this.cells && frame.side >= this.cells.from) {
      this.layout = this.cells.make();
      this.cells = null;
    }
    const names = this.layout?.at(frame.side) ?? [];
    return names.filter((name) => {
      const part = box(name, frame);
      const inside =
        part.left >= 0 && part.top >= 0 && part.right <= clientWidth && part.bottom <= clientHeight;
      return inside && !this.furniture.hides(part);
    });
  }

  private write(context: CanvasRenderingContext2D, name: Lettered, frame: Frame, opacity: number): void {
    if (opacity <= 0) return;
    const sprite = this.lettering.sprite(name);
    const { left, top } = box(name, frame);
    const [x, y] = [left - HALO, top - HALO].map(
      (at) => Math.round(at * devicePixelRatio) / devicePixelRatio,
    );
    context.globalAlpha = opacity;
    context.drawImage(
      sprite,
      x ?? 0,
      y ?? 0,
      sprite.width / devicePixelRatio,
      sprite.height / devicePixelRatio,
    );
  }
}

/** The part of the canvas that a name takes, CSS pixels. */
function box({ x, y, width, height }: Lettered, { left, top, side }: Frame): Rectangle {
  const [middle, centre] = [left + x * side, top + y * side];
  return {
    left: middle - width / 2,
    top: centre - height / 2,
    right: middle + width / 2,
    bottom: centre + height / 2,
  };
}

// The names in sight as a text that describes the picture to screen readers.

const SETTLED_MS = 400;

let made = 0;

export class NamesTold {
  private readonly text = el("p", { class: "unseen", id: `names-in-sight-${made++}` });
  private timer = 0;

  constructor(
    canvas: HTMLElement,
    private readonly names: () => readonly string[],
  ) {
    canvas.after(this.text);
    canvas.setAttribute("aria-describedby", this.text.id);
  }

  /** Tell them anew once the picture has come to rest. */
  renew(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const names = [...new Set(this.names())];
      this.text.textContent = names.length ? `Names in sight: ${names.join(", ")}.` : "";
    }, SETTLED_MS);
  }
}
