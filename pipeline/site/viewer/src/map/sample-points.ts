// Samples as points over the map. They are stamped pixel by pixel into one image, which is drawn once: thousands of
// shapes in every frame would take longer than a frame.

import type { Manifest } from "../data/manifest";
import { NO_FILTER, recordedColors, type SampleGroup, type SampleView, viewSamples } from "../data/samples";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import type { Color } from "../ui/colors";
import type { Frame } from "./frame";
import type { Rectangle } from "./obstacles";
import type { OverlayLayer } from "./overlay";

const [SMALLEST, LARGEST] = [3, 9]; // diameter of a point, CSS pixels
const SIZE_AT = 700; // side of the atlas at which many points have the smallest diameter, CSS pixels
const FEW = 2000; // points that are drawn larger
const FEW_FACTOR = 1.6;
const MIN_DIAMETER_WITH_HALO = 4; // pixels of the screen
const REACH = 7; // distance from the pointer within which a point is hovered, CSS pixels
const MOST_PIXELS = 4e6; // of the image: on a large, fine screen it is coarser, so that a frame takes no longer
const PAD = 2 * LARGEST; // around the window, so that a stamp at its edge fits, CSS pixels

/** A point as pixels: offsets from its center in the image, and their colors. */
interface Stamp {
  readonly offsets: Int32Array;
  readonly colors: Uint32Array;
}

export class SamplePoints implements OverlayLayer {
  /** The point at the pointer; -1 for none. */
  hovered = -1;
  private view: SampleView | null = null;
  /** Order in which the points of the view are drawn. */
  private order: Int32Array = new Int32Array();
  private colors: readonly Color[] = [];
  private background: Color = [0, 0, 0];
  private foreground = "";
  private readonly canvas = document.createElement("canvas");
  private image = new ImageData(1, 1);
  /** Pixels of the image for each CSS pixel, and its part that the points may lie in. */
  private scale = 1;
  private area: Rectangle = { left: 0, top: 0, right: 0, bottom: 0 };
  private drawn = ""; // what the canvas shows

  constructor(
    private readonly manifest: Pick<Manifest, "recorded">,
    private readonly store: Store,
  ) {}

  rebuild({ samples }: Scene, color: (name: string) => Color): void {
    this.drawn = "";
    const { show, samples: filter } = this.store.state;
    const chosen = show === "samples" ? filter : NO_FILTER;
    if (this.view?.set !== samples) this.hovered = -1;
    this.view = samples && viewSamples(samples, chosen, recordedColors(this.manifest));
    this.order = this.view ? drawingOrder(this.view) : new Int32Array();
    this.colors = this.view?.groups.map((group) => color(colorName(group))) ?? [];
    this.background = color("--background");
    this.foreground = `rgb(${color("--foreground").join(" ")})`;
  }

  over(context: CanvasRenderingContext2D, frame: Frame): void {
    const { view } = this;
    if (!view) return;
    const [width, height] = [context.canvas.width, context.canvas.height].map((pixels) =>
      Math.ceil(pixels / devicePixelRatio + 2 * PAD),
    ) as [number, number];
    const name = [frame.left, frame.top, frame.side, width, height, devicePixelRatio].join();
    if (name !== this.drawn) this.paint(view, frame, width, height);
    this.drawn = name;
    const { left, top, right, bottom } = this.area;
    const [wide, high] = [right - left, bottom - top];
    const [x, y] = [left / this.scale - PAD, top / this.scale - PAD];
    if (wide && high)
      context.drawImage(this.canvas, left, top, wide, high, x, y, wide / this.scale, high / this.scale);
    if (this.hovered >= 0) this.ring(context, frame, view);
  }

  /** The shown point nearest to a position of the map, CSS pixels, if it is near; else -1. */
  at(x: number, y: number, { left, top, side }: Frame): number {
    if (!this.view) return -1;
    const { points, set } = this.view;
    let [best, cost] = [-1, REACH * REACH];
    for (const point of points) {
      const right = left + (set.xy[2 * point] ?? 0) * side - x;
      const down = top + (set.xy[2 * point + 1] ?? 0) * side - y;
      const distance = right * right + down * down;
      if (distance < cost) [best, cost] = [point, distance];
    }
    return best;
  }

  /** Paint the points into an image of this width and height, CSS pixels. */
  private paint(view: SampleView, frame: Frame, width: number, height: number): void {
    const scale = Math.min(devicePixelRatio, Math.sqrt(MOST_PIXELS / (width * height)));
    const [columns, rows] = [Math.ceil(width * scale), Math.ceil(height * scale)];
    if (this.image.width !== columns || this.image.height !== rows) {
      this.image = new ImageData(columns, rows);
      [this.canvas.width, this.canvas.height] = [columns, rows];
    }
    const [left, top, side] = [(frame.left + PAD) * scale, (frame.top + PAD) * scale, frame.side * scale];
    const pad = PAD * scale;
    const area = {
      left: Math.min(Math.max(Math.floor(left - pad), 0), columns),
      top: Math.min(Math.max(Math.floor(top - pad), 0), rows),
      right: Math.min(Math.max(Math.ceil(left + side + pad), 0), columns),
      bottom: Math.min(Math.max(Math.ceil(top + side + pad), 0), rows),
    };
    this.scale = scale;
    this.area = area;
    const pixels = new Uint32Array(this.image.data.buffer);
    pixels.fill(0, area.top * columns, area.bottom * columns);
    this.stampPoints(pixels, view, { left, top, side }, scale);
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context?.putImageData(
      this.image,
      0,
      0,
      area.left,
      area.top,
      area.right - area.left,
      area.bottom - area.top,
    );
  }

  /** Stamp the points; `frame` is that of the atlas in the image, pixels. */
  private stampPoints(
    pixels: Uint32Array,
    { points, group, set: { xy } }: SampleView,
    { left, top, side }: Frame,
    scale: number,
  ): void {
    const { width, height } = this.image;
    const diameter = scale * pointDiameter(side / scale, points.length);
    const stamps = this.colors.map((color) => createStamp(diameter, color, this.background, width));
    const edge = Math.ceil((PAD / 2) * scale);
    for (const index of this.order) {
      const point = points[index] ?? 0;
      const x = Math.round(left + (xy[2 * point] ?? 0) * side);
      const y = Math.round(top + (xy[2 * point + 1] ?? 0) * side);
      const stamp = stamps[group[index] ?? 0];
      if (!stamp || x < edge || y < edge || x >= width - edge || y >= height - edge) continue;
      const { offsets, colors } = stamp;
      const center = y * width + x;
      for (let at = 0; at < offsets.length; at++) pixels[center + (offsets[at] ?? 0)] = colors[at] ?? 0;
    }
  }

  private ring(context: CanvasRenderingContext2D, frame: Frame, { points, set }: SampleView): void {
    const [x, y] = [set.xy[2 * this.hovered] ?? 0, set.xy[2 * this.hovered + 1] ?? 0];
    context.beginPath();
    const radius = pointDiameter(frame.side, points.length) / 2 + 3;
    context.arc(frame.left + x * frame.side, frame.top + y * frame.side, radius, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = this.foreground;
    context.stroke();
  }
}

/** Custom property with the color of a group. */
export function colorName({ hue }: SampleGroup): string {
  if (hue === "other") return "--sample-other";
  return hue === "none" ? "--sample-none" : `--class-${hue}`;
}

/** Indices of the view's points: those of the rest first, below the groups that have colors of their own. */
function drawingOrder({ points, group, groups }: SampleView): Int32Array {
  const indices = Array.from(points, (_, index) => index);
  const isRest = (index: number): boolean => typeof groups[group[index] ?? 0]?.hue === "string";
  return Int32Array.from([...indices.filter(isRest), ...indices.filter((index) => !isRest(index))]);
}

/** Diameter of each of so many points, CSS pixels: it grows more slowly than the map. */
function pointDiameter(side: number, points: number): number {
  const size = SMALLEST * Math.sqrt(side / SIZE_AT) * (points < FEW ? FEW_FACTOR : 1);
  return Math.min(Math.max(size, SMALLEST), LARGEST);
}

/** A disc with a halo in the color of the background, in an image of this width. */
function createStamp(diameter: number, color: Color, background: Color, width: number): Stamp {
  const halo = diameter < MIN_DIAMETER_WITH_HALO ? 0 : Math.max(1, diameter / 6);
  const radius = diameter / 2;
  const reach = Math.ceil(radius + halo);
  const [offsets, colors]: [number[], number[]] = [[], []];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const distance = Math.hypot(x, y);
      if (distance > radius + halo) continue;
      const inside = halo ? Math.min(Math.max(radius + 0.5 - distance, 0), 1) : 1;
      offsets.push(y * width + x);
      colors.push(toPixel(color, background, inside));
    }
  }
  return { offsets: Int32Array.from(offsets), colors: Uint32Array.from(colors) };
}

/** Opaque pixel with this share of a color, as a number in the order of bytes of the machine. */
function toPixel(color: Color, other: Color, share: number): number {
  const mixed = color.map((value, channel) =>
    Math.round(value * share + (other[channel] ?? 0) * (1 - share)),
  );
  return new Uint32Array(Uint8Array.from([...mixed, 255]).buffer)[0] ?? 0;
}
