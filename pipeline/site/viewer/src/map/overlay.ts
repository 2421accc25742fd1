// The canvas over the picture: the veil over weak cells, the paper between icons, the marks of chosen cells.

import type { LevelData } from "../data/level";
import type { Kin } from "../data/related-cells";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import type { Colour } from "../ui/colors";
import { brightness, densityMask, mask } from "./cell-mask";
import { drawKin, type Frame, fillGutter, outline } from "./frame";
import type { Picture } from "./picture";
import { type Draft, markRegion, markTrail, withoutGaps } from "./region-outline";
import { Territories } from "./winner-tint";

const REBUILT = ["sign", "intensity", "measure", "marks", "labels"] as const;

/** Something else that lies over the icons. */
export interface OverlayLayer {
  /** Get ready for another scene, state or colour scheme; `colour` gives the channels of a variable of the theme. */
  rebuild(scene: Scene, colour: (name: string) => Colour): void;
  /** Draw beneath the veil, so that what it covers stays covered. */
  under?(context: CanvasRenderingContext2D, frame: Frame): void;
  /** Draw above the paper between icons, beneath the marks of chosen cells. */
  over?(context: CanvasRenderingContext2D, frame: Frame): void;
}

export class Overlay {
  /** The cell under the pointer or the keyboard's cursor, in the shown level; -1 for none. */
  marked = -1;
  /** The region that is being drawn. */
  draft: Draft | null = null;
  /** Draws above everything else, at every frame. */
  paint: ((context: CanvasRenderingContext2D, frame: Frame) => void) | null = null;
  private readonly layers: OverlayLayer[] = [];
  private readonly markListeners: (() => void)[] = [];
  private kin: readonly Kin[] = [];
  private readonly canvas = document.createElement("canvas");
  private readonly veil = document.createElement("canvas");
  private readonly territories = new Territories();
  private scene: Scene | null = null;
  private paper = "";
  private colours = { ink: "", accent: "" };

  constructor(
    private readonly picture: Picture,
    private readonly store: Store,
  ) {
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    picture.viewer.canvas.append(this.canvas);
    picture.onMove(() => this.draw());
    store.subscribe((state, before) => {
      if (REBUILT.some((key) => state[key] !== before[key])) this.rebuild();
      else this.draw(); // the veil follows the scene
    });
  }

  add(layer: OverlayLayer): void {
    this.layers.push(layer);
  }

  show(scene: Scene): void {
    if (scene.level !== this.scene?.level) {
      this.marked = -1;
      this.kin = [];
    }
    this.scene = scene;
    this.rebuild();
  }

  /** Draw nothing any more: the picture is about to go. */
  end(): void {
    this.scene = null;
  }

  mark(cell: number): void {
    if (cell === this.marked) return;
    this.marked = cell;
    this.draw();
    for (const listener of this.markListeners) listener();
  }

  /** Call back whenever another cell has been marked, or none. */
  onMark(listener: () => void): void {
    this.markListeners.push(listener);
  }

  /** Show where the samples of a cell of another picture lie. */
  echo(kin: readonly Kin[]): void {
    if (!kin.length && !this.kin.length) return;
    this.kin = kin;
    this.draw();
  }

  /** Show a region that is being drawn, or none. */
  outline(draft: Draft | null): void {
    if (draft === this.draft) return;
    this.draft = draft;
    this.draw();
  }

  /** Make the veil anew, after another class, level or colour scheme. */
  rebuild(): void {
    if (!this.scene) return;
    const style = getComputedStyle(document.documentElement);
    this.paper = style.getPropertyValue("--paper").trim();
    this.colours = { ink: style.getPropertyValue("--ink"), accent: style.getPropertyValue("--accent") };
    const { level, heat, density } = this.scene;
    const { sign, intensity } = this.store.state;
    const colour = (name: string): Colour => rgb(style.getPropertyValue(name).trim());
    const [paper, over, under] = [colour("--paper"), colour("--over"), colour("--under")];
    const several = this.territories.rebuild(this.scene, sign, intensity, colour);
    const image = density?.samples
      ? densityMask(level, density, intensity, { paper, over, under })
      : mask(level, paper, several ?? ((cell) => brightness(density ? null : heat, sign, intensity, cell)));
    [this.veil.width, this.veil.height] = [image.width, image.height];
    this.veil.getContext("2d")?.putImageData(image, 0, 0);
    for (const layer of this.layers) layer.rebuild(this.scene, colour);
    this.draw();
  }

  draw(): void {
    const context = this.canvas.getContext("2d");
    if (!context || !this.scene) return;
    const { clientWidth, clientHeight } = this.picture.viewer.canvas;
    this.fit(clientWidth, clientHeight);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    const frame = this.picture.frame();
    const { level } = this.scene;
    context.imageSmoothingEnabled = false;
    this.territories.draw(context, frame, frame.side / level.size);
    context.globalCompositeOperation = "destination-over"; // the veil goes under the colours of several classes
    context.drawImage(this.veil, frame.left, frame.top, frame.side, frame.side);
    for (const layer of this.layers) layer.under?.(context, frame);
    context.globalCompositeOperation = "source-over";
    context.strokeStyle = this.paper;
    context.lineWidth = 4; // the outermost pixels of the picture, which its scaling mixes with what lies beyond
    context.strokeRect(frame.left - 1, frame.top - 1, frame.side + 2, frame.side + 2);
    fillGutter(context, frame, frame.side / level.size, this.paper);
    for (const layer of this.layers) layer.over?.(context, frame);
    this.drawMarks(context, frame, level);
    this.paint?.(context, frame);
  }

  private drawMarks(context: CanvasRenderingContext2D, frame: Frame, level: LevelData): void {
    const { pin, selection } = this.store.state;
    const [region, marks] = [
      this.draft?.area ?? selection,
      { accent: this.colours.accent, paper: this.paper },
    ];
    if (region) markRegion(context, frame, withoutGaps(region, level), marks);
    if (this.draft) markTrail(context, frame, this.draft.trail, marks);
    drawKin(context, frame, this.kin, { ink: this.colours.ink, paper: this.paper });
    if (this.marked >= 0) {
      const cell = { size: level.size, row: level.row(this.marked), column: level.column(this.marked) };
      outline(context, frame, cell, this.colours.ink, 2, this.paper);
    }
    if (pin) outline(context, frame, pin, this.colours.accent, 3, this.paper);
  }

  private fit(width: number, height: number): void {
    const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.canvas.width !== wide) this.canvas.width = wide;
    if (this.canvas.height !== high) this.canvas.height = high;
  }
}

/** The channels of a `#rrggbb` colour. */
function rgb(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
