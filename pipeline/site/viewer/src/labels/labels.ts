// Labels on a map: few and large at the whole atlas, more and smaller ones while zooming in.

import type { Frame } from "../map/frame";
import type { MapView } from "../map/map-view";
import type { Obstacles, Rectangle } from "../map/obstacles";
import type { Overlay, OverlayLayer } from "../map/overlay";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import type { Color } from "../ui/colors";
import { el } from "../ui/dom";
import { cellLabels, type Label, regionLabels } from "./label-candidates";
import { LabelLayout } from "./label-layout";
import { HALO, LabelRenderer, minSideForCellLabels, type SizedLabel } from "./label-sprites";

const FADE_MS = 200;
const MAX_LABELED_CELLS = 4000;
const NARROW_WIDTH = 640; // pixels; narrower maps have smaller labels
const NARROW_SCALE = 0.7;

export interface WrittenLabel extends Rectangle {
  readonly text: string;
}

export class Labels implements OverlayLayer {
  private readonly renderer = new LabelRenderer();
  private readonly description: LabelDescription;
  private readonly reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
  private readonly opacity = new Map<SizedLabel, number>();
  private layout: LabelLayout<SizedLabel> | null = null;
  private preparedName = "";
  private regions: { readonly of: string; readonly names: readonly SizedLabel[] } = { of: "", names: [] };
  /** Layout with labels of single cells, created once they are large enough. */
  private cells: { readonly from: number; make(): LabelLayout<SizedLabel> } | null = null;
  private lastTime = 0;
  private pendingFrame = 0;

  constructor(
    private readonly classes: readonly string[],
    private readonly mapView: MapView,
    private readonly overlay: Overlay,
    private readonly obstacles: Obstacles,
    private readonly store: Store,
    private readonly reportError: (error: unknown) => void,
  ) {
    const canvas = mapView.viewer.canvas as HTMLElement;
    obstacles.onChange(() => overlay.draw());
    this.description = new LabelDescription(canvas, () => this.visibleLabels.map(({ text }) => text));
    mapView.onRest(() => this.description.update());
  }

  rebuild(scene: Scene, color: (name: string) => Color): void {
    const style = getComputedStyle(document.documentElement);
    const css = (name: string): string => `rgb(${color(name).join(" ")})`;
    this.renderer.setColors({
      foreground: css("--foreground"),
      background: css("--background"),
      serif: style.getPropertyValue("--serif"),
      sans: style.getPropertyValue("--sans"),
    });
    const wanted = this.isWanted(scene) ? scene.level.name : "";
    if (wanted === this.preparedName) return;
    this.preparedName = wanted;
    this.description.update();
    if (wanted) this.prepare(scene).catch(this.reportError);
    else this.layout = this.cells = null;
  }

  over(context: CanvasRenderingContext2D, frame: Frame): void {
    const now = performance.now();
    const step = this.reducedMotion ? 1 : Math.min((now - this.lastTime) / FADE_MS, 0.25);
    this.lastTime = now;
    const shown = new Set(this.labelsInView(frame));
    for (const name of shown) if (!this.opacity.has(name)) this.opacity.set(name, 0);
    let moving = false;
    for (const [name, before] of this.opacity) {
      const after = Math.min(Math.max(before + (shown.has(name) ? step : -step), 0), 1);
      moving ||= after > 0 && after < 1;
      if (after > 0) this.opacity.set(name, after);
      else this.opacity.delete(name);
      this.drawLabel(context, name, frame, after);
    }
    context.globalAlpha = 1;
    if (moving && !this.pendingFrame) this.pendingFrame = requestAnimationFrame(() => this.redraw());
  }

  /** The visible labels, in CSS pixels of the canvas. */
  get visibleLabels(): WrittenLabel[] {
    const frame = this.mapView.frame();
    return [...this.opacity.keys()].map((name) => ({ text: name.text, ...labelBounds(name, frame) }));
  }

  private redraw(): void {
    this.pendingFrame = 0;
    this.overlay.draw();
  }

  private isWanted({ atlas, highlights, density }: Scene): boolean {
    return this.store.state.labels && atlas.heatmap !== null && !highlights.length && !density;
  }

  private async prepare({ layer, atlas, level }: Scene): Promise<void> {
    const scale = this.mapView.viewer.canvas.clientWidth < NARROW_WIDTH ? NARROW_SCALE : 1;
    const write = (label: Label): SizedLabel => this.renderer.sizeLabel(label, scale);
    const of = `${layer.name}/${atlas.name}/${scale}`;
    const labels = atlas.regions ? await regionLabels(layer.name, atlas.name, this.classes) : [];
    if (level.name !== this.preparedName) return;
    if (of !== this.regions.of) {
      this.regions = { of, names: labels.map(write) };
      this.opacity.clear();
    }
    const { names } = this.regions;
    this.layout = new LabelLayout(names);
    this.cells = {
      from: minSideForCellLabels(level.size),
      make: () =>
        new LabelLayout([...names, ...cellLabels(level, this.classes, MAX_LABELED_CELLS).map(write)]),
    };
    this.overlay.draw();
    this.description.update();
  }

  /** Labels that lie completely inside the window and are not covered. */
  private labelsInView(frame: Frame): SizedLabel[] {
    const { clientWidth, clientHeight } = this.mapView.viewer.canvas;
    if (this.cells && frame.side >= this.cells.from) {
      this.layout = this.cells.make();
      this.cells = null;
    }
    const names = this.layout?.labelsAt(frame.side) ?? [];
    return names.filter((name) => {
      const part = labelBounds(name, frame);
      const inside =
        part.left >= 0 && part.top >= 0 && part.right <= clientWidth && part.bottom <= clientHeight;
      return inside && !this.obstacles.covers(part);
    });
  }

  private drawLabel(
    context: CanvasRenderingContext2D,
    name: SizedLabel,
    frame: Frame,
    opacity: number,
  ): void {
    if (opacity <= 0) return;
    const sprite = this.renderer.sprite(name);
    const { left, top } = labelBounds(name, frame);
    const [x, y] = [left - HALO, top - HALO].map(
      (labelsAt) => Math.round(labelsAt * devicePixelRatio) / devicePixelRatio,
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

/** Bounds of a label on the canvas, CSS pixels. */
function labelBounds({ x, y, width, height }: SizedLabel, { left, top, side }: Frame): Rectangle {
  const [middle, center] = [left + x * side, top + y * side];
  return {
    left: middle - width / 2,
    top: center - height / 2,
    right: middle + width / 2,
    bottom: center + height / 2,
  };
}

// Visible labels as a description of the map for screen readers.

const UPDATE_AFTER_MS = 400;

let descriptions = 0;

export class LabelDescription {
  private readonly text = el("p", { class: "visually-hidden", id: `visible-labels-${descriptions++}` });
  private timer = 0;

  constructor(
    canvas: HTMLElement,
    private readonly names: () => readonly string[],
  ) {
    canvas.after(this.text);
    canvas.setAttribute("aria-describedby", this.text.id);
  }

  /** Update the description after the map has come to rest. */
  update(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const names = [...new Set(this.names())];
      this.text.textContent = names.length ? `Visible labels: ${names.join(", ")}.` : "";
    }, UPDATE_AFTER_MS);
  }
}
