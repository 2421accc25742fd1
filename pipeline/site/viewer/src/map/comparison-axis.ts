// Places the axis of a comparison on the map, clear of page elements.

import { classNames, find, type Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { State, Store } from "../state/state";
import { type AxisColors, type AxisLabels, type Clearance, drawAxis } from "./axis";
import type { Frame } from "./frame";
import type { MapView } from "./map-view";
import type { Obstacles, Rectangle } from "./obstacles";
import type { Overlay } from "./overlay";

const HEIGHT = 66;
const GAP = 22;
const EDGE = 16;

export class ComparisonAxis {
  private labels: AxisLabels | null = null;
  private colors: AxisColors | null = null;
  private theme: string | undefined = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly mapView: MapView,
    private readonly overlay: Overlay,
    store: Store,
    private readonly obstacles: Obstacles,
  ) {
    overlay.drawOnTop = (context, frame) => this.drawOnTop(context, frame);
    this.reserveAxisSpace(store.state);
    store.subscribe((state) => this.reserveAxisSpace(state));
  }

  show({ atlas }: Scene): void {
    const [left, right] = classNames(this.manifest, atlas);
    const named = atlas.axis && left !== undefined && right !== undefined;
    this.labels = named ? { left, right, scale: atlas.axis.scale } : null;
    this.overlay.draw();
  }

  private reserveAxisSpace({ layer, atlas }: State): void {
    this.mapView.reserveBottom(find(this.manifest, layer, atlas).atlas.axis ? HEIGHT : 0);
  }

  private drawOnTop(context: CanvasRenderingContext2D, frame: Frame): void {
    if (!this.labels) return;
    const { clientWidth: width, clientHeight: height } = this.mapView.viewer.canvas;
    const clearance = clearanceOf(this.obstacles.rectangles, width, height);
    drawAxis(context, frame, { width, height }, this.labels, this.readColors(), clearance);
  }

  private readColors(): AxisColors {
    const { theme } = document.documentElement.dataset;
    if (this.colors && theme === this.theme) return this.colors;
    this.theme = theme;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    this.colors = {
      foreground: color("foreground"),
      muted: color("muted"),
      background: color("background"),
      left: color("negative"),
      right: color("accent"),
      font: getComputedStyle(document.body).fontFamily,
    };
    return this.colors;
  }
}

/** Beside the obstacles at the bottom of the map, or above them all where one of them takes most of the width. */
function clearanceOf(obstacles: readonly Rectangle[], width: number, height: number): Clearance {
  const low = obstacles.filter(({ top, bottom }) => bottom > height - HEIGHT && top < height);
  if (low.some(({ left, right }) => right - left > width / 2)) {
    const top = Math.min(...low.map((each) => each.top));
    return { left: EDGE, right: EDGE, bottom: height - top + EDGE / 2 };
  }
  const onLeft = low.filter(({ left, right }) => left + right < width && right > 0);
  const onRight = low.filter(({ left, right }) => left + right >= width && left < width);
  return {
    left: Math.max(EDGE, ...onLeft.map(({ right }) => right + GAP)),
    right: Math.max(EDGE, ...onRight.map(({ left }) => width - left + GAP)),
    bottom: EDGE / 2,
  };
}
