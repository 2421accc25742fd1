// Canvas over the map: mask of weak cells, gaps between icons, marks of cells and regions.

import type { LevelData } from "../data/level";
import type { SharedSamples } from "../data/related-cells";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import type { Color } from "../ui/colors";
import { cellBrightness, cellMask, createDensityMask } from "./cell-mask";
import { drawSharedSamples, type Frame, fillCellGaps, strokeCell } from "./frame";
import type { MapView } from "./map-view";
import { drawPath, drawRegion, fillHoles, type RegionDraft } from "./region-outline";
import { WinnerTint } from "./winner-tint";

const REBUILD_KEYS = ["sign", "intensity", "measure", "marks", "labels", "samples"] as const;
const DIMMED = 0.3; // brightness of icons below points

/** Layer drawn over the icons. */
export interface OverlayLayer {
  /** Prepare for another scene, state or theme; `color` returns the channels of a custom property. */
  rebuild(scene: Scene, color: (name: string) => Color): void;
  /** Draw below the mask. */
  under?(context: CanvasRenderingContext2D, frame: Frame): void;
  /** Draw above the gaps between icons, below the marks of cells. */
  over?(context: CanvasRenderingContext2D, frame: Frame): void;
}

export class Overlay {
  /** Cell at the pointer or the keyboard cursor in the shown level; -1 for none. */
  marked = -1;
  /** Region being drawn. */
  draft: RegionDraft | null = null;
  /** Draws above everything else in every frame. */
  drawOnTop: ((context: CanvasRenderingContext2D, frame: Frame) => void) | null = null;
  private readonly layers: OverlayLayer[] = [];
  private readonly markListeners: (() => void)[] = [];
  private shared: readonly SharedSamples[] = [];
  private readonly canvas = document.createElement("canvas");
  private readonly maskCanvas = document.createElement("canvas");
  private readonly winnerTint = new WinnerTint();
  private scene: Scene | null = null;
  private background = "";
  private colors = { foreground: "", accent: "" };

  constructor(
    private readonly mapView: MapView,
    private readonly store: Store,
  ) {
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    mapView.viewer.canvas.append(this.canvas);
    mapView.onMove(() => this.draw());
    store.subscribe((state, before) => {
      if (REBUILD_KEYS.some((key) => state[key] !== before[key])) this.rebuild();
      else this.draw(); // the mask follows the scene
    });
  }

  add(layer: OverlayLayer): void {
    this.layers.push(layer);
  }

  show(scene: Scene): void {
    if (scene.level !== this.scene?.level) {
      this.marked = -1;
      this.shared = [];
    }
    this.scene = scene;
    this.rebuild();
  }

  /** Stop drawing before the map is destroyed. */
  end(): void {
    this.scene = null;
  }

  mark(cell: number): void {
    if (cell === this.marked) return;
    this.marked = cell;
    this.draw();
    for (const listener of this.markListeners) listener();
  }

  /** Call back when another cell, or none, has been marked. */
  onMark(listener: () => void): void {
    this.markListeners.push(listener);
  }

  /** Show where the samples of a cell in the other map lie. */
  showSharedSamples(shared: readonly SharedSamples[]): void {
    if (!shared.length && !this.shared.length) return;
    this.shared = shared;
    this.draw();
  }

  /** Show a region being drawn, or none. */
  outline(draft: RegionDraft | null): void {
    if (draft === this.draft) return;
    this.draft = draft;
    this.draw();
  }

  /** Rebuild the mask after a change of class, level or theme. */
  rebuild(): void {
    if (!this.scene) return;
    const style = getComputedStyle(document.documentElement);
    this.background = style.getPropertyValue("--background").trim();
    this.colors = {
      foreground: style.getPropertyValue("--foreground"),
      accent: style.getPropertyValue("--accent"),
    };
    const { level, heatmap, density, samples } = this.scene;
    const { sign, intensity } = this.store.state;
    const color = (name: string): Color => parseHexColor(style.getPropertyValue(name).trim());
    const [background, over, under] = [color("--background"), color("--over"), color("--under")];
    const several = this.winnerTint.rebuild(this.scene, sign, intensity, color);
    const image = density?.samples
      ? createDensityMask(level, density, intensity, { background, over, under })
      : cellMask(
          level,
          background,
          several ??
            ((cell) =>
              (samples ? DIMMED : 1) * cellBrightness(density ? null : heatmap, sign, intensity, cell)),
        );
    [this.maskCanvas.width, this.maskCanvas.height] = [image.width, image.height];
    this.maskCanvas.getContext("2d")?.putImageData(image, 0, 0);
    for (const layer of this.layers) layer.rebuild(this.scene, color);
    this.draw();
  }

  draw(): void {
    const context = this.canvas.getContext("2d");
    if (!context || !this.scene) return;
    const { clientWidth, clientHeight } = this.mapView.viewer.canvas;
    this.resizeCanvas(clientWidth, clientHeight);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    const frame = this.mapView.frame();
    const { level } = this.scene;
    context.imageSmoothingEnabled = false;
    this.winnerTint.draw(context, frame, frame.side / level.size);
    context.globalCompositeOperation = "destination-over"; // the mask goes below the colors of several classes
    context.drawImage(this.maskCanvas, frame.left, frame.top, frame.side, frame.side);
    for (const layer of this.layers) layer.under?.(context, frame);
    context.globalCompositeOperation = "source-over";
    context.strokeStyle = this.background;
    context.lineWidth = 4; // the outermost pixels of the image, which its scaling mixes with what lies beyond
    context.strokeRect(frame.left - 1, frame.top - 1, frame.side + 2, frame.side + 2);
    fillCellGaps(context, frame, frame.side / level.size, this.background);
    for (const layer of this.layers) layer.over?.(context, frame);
    this.drawMarks(context, frame, level);
    this.drawOnTop?.(context, frame);
  }

  private drawMarks(context: CanvasRenderingContext2D, frame: Frame, level: LevelData): void {
    const { pin, selection } = this.store.state;
    const [region, marks] = [
      this.draft?.area ?? selection,
      { accent: this.colors.accent, background: this.background },
    ];
    if (region) drawRegion(context, frame, fillHoles(region, level), marks);
    if (this.draft) drawPath(context, frame, this.draft.path, marks);
    drawSharedSamples(context, frame, this.shared, {
      foreground: this.colors.foreground,
      background: this.background,
    });
    if (this.marked >= 0) {
      const cell = { size: level.size, row: level.row(this.marked), column: level.column(this.marked) };
      strokeCell(context, frame, cell, this.colors.foreground, 2, this.background);
    }
    if (pin) strokeCell(context, frame, pin, this.colors.accent, 3, this.background);
  }

  private resizeCanvas(width: number, height: number): void {
    const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.canvas.width !== wide) this.canvas.width = wide;
    if (this.canvas.height !== high) this.canvas.height = high;
  }
}

/** Channels of a `#rrggbb` color. */
function parseHexColor(hex: string): Color {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
