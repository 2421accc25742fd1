// A pane: one map with its overlay, labels and cursor.

import type { Manifest } from "../data/manifest";
import { type LevelImage, levelImage } from "../data/tiles";
import { Labels, type WrittenLabel } from "../labels/labels";
import { MapView } from "../map/map-view";
import { DoubtMarks, MeasureColors } from "../map/measure-overlay";
import { Obstacles } from "../map/obstacles";
import { Overlay } from "../map/overlay";
import { SamplePoints } from "../map/sample-points";
import { Viewport } from "../map/viewport";
import type { HoverCard } from "../panels/hover-card";
import { hasSampleContent } from "../panels/sample-card";
import { type Scene, SceneStore } from "../state/scene";
import type { Store } from "../state/state";
import { Cursor } from "./cursor";

/** Label the map for screen readers and describe its keys. */
export function labelCanvas(canvas: Element, name = "Activation atlas"): void {
  canvas.setAttribute("role", "application");
  canvas.setAttribute("tabindex", "0");
  canvas.setAttribute(
    "aria-label",
    `${name}. Arrow keys move from cell to cell, Enter pins a cell, plus and minus zoom, ` +
      "question mark lists all keys.",
  );
}

declare global {
  /** API for pages that embed the atlas in a frame, and for tests; `secondCellToPoint` refers to the second map. */
  var atlas:
    | { cellToPoint: CellToPoint; secondCellToPoint?: CellToPoint; labels(): WrittenLabel[] }
    | undefined;
}

type CellToPoint = (row: number, column: number) => { x: number; y: number };

export interface PaneContext {
  readonly manifest: Manifest;
  /** The hover card; there is one pointer, and so one card. */
  readonly card: HoverCard;
  reportError(error: unknown): void;
}

const LOADING_AFTER_MS = 240;

export class Pane {
  readonly scenes: SceneStore;
  readonly obstacles: Obstacles;
  readonly mapView: MapView;
  readonly overlay: Overlay;
  readonly labels: Labels;
  readonly viewport: Viewport;
  readonly cursor: Cursor;
  private readonly points: SamplePoints;
  private busyTimer = 0;

  constructor(
    { manifest, card, reportError }: PaneContext,
    readonly store: Store,
    /** Element of the map. */
    element: HTMLElement,
    minimap: HTMLElement | null,
  ) {
    const { classes } = manifest.network;
    this.obstacles = new Obstacles(element);
    const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.mapView = new MapView(element, minimap, reducedMotion, this.obstacles, reportError);
    const picture = { load: (scene: Scene) => this.mapView.load(imageOf(scene)) };
    this.scenes = new SceneStore(manifest, store, picture, reportError);
    this.scenes.onBusy((busy) => this.markBusy(element, busy));
    const { shown } = this.scenes; // what is drawn changes with the picture
    this.overlay = new Overlay(this.mapView, shown);
    this.labels = new Labels(classes, this.mapView, this.overlay, this.obstacles, shown, reportError);
    this.points = new SamplePoints(manifest, shown);
    const marks = new DoubtMarks(manifest.verdict, shown);
    for (const layer of [new MeasureColors(shown), this.points, marks, this.labels]) this.overlay.add(layer);
    this.viewport = new Viewport(this.mapView, this.scenes);
    this.cursor = new Cursor(store, this.scenes, this.mapView, this.overlay, card, this.viewport, manifest);
  }

  get canvas(): HTMLElement {
    return this.mapView.viewer.canvas as HTMLElement;
  }

  show(scene: Scene): void {
    this.mapView.show(imageOf(scene));
    this.overlay.show(scene);
  }

  /** Connect the pointer: hovering marks a cell and shows its card, clicks are passed on. */
  listen(click: (cell: number) => void): void {
    listenToPointer(this.mapView, () => this.scenes.current, {
      hover: (cell, x, y, at) => {
        const point = this.pointAt(at);
        this.hoverPoint(point);
        if (point >= 0) this.cursor.hoverSample(point, cell, x, y);
        else if (cell >= 0) this.cursor.hover(cell, x, y);
        else this.cursor.leave();
      },
      leave: () => {
        this.hoverPoint(-1);
        this.cursor.leave();
      },
      click,
    });
  }

  /** The sample at a position of the map of which the card has something to say, or -1. */
  private pointAt({ x, y }: { readonly x: number; readonly y: number }): number {
    const samples = this.scenes.current?.samples;
    return samples && hasSampleContent(samples) ? this.points.at(x, y, this.mapView.frame()) : -1;
  }

  private hoverPoint(point: number): void {
    if (point === this.points.hovered) return;
    this.points.hovered = point;
    this.overlay.draw();
  }

  /** Destroy the map. */
  destroy(): void {
    this.obstacles.stop();
    this.overlay.end();
    this.mapView.destroy();
  }

  /** Say so only where a load takes more than a moment. */
  private markBusy(element: HTMLElement, busy: boolean): void {
    element.setAttribute("aria-busy", String(busy));
    clearTimeout(this.busyTimer);
    if (!busy) delete element.dataset.loading;
    else
      this.busyTimer = setTimeout(() => {
        element.dataset.loading = "";
      }, LOADING_AFTER_MS);
  }

  focus(): void {
    this.canvas.focus({ preventScroll: true });
  }
}

function imageOf({ layer, atlas, level: { size }, photographs }: Scene): LevelImage {
  const level = atlas.levels.find((entry) => entry.size === size);
  if (!level) throw new Error(`${layer.name}/${atlas.name} has no level ${size}`);
  return levelImage(layer.name, atlas, level, photographs);
}

// Pointer events of the map, as cells.

export interface PointerActions {
  /** The pointer is over a cell, -1 for none: its position in the window, and in the map, CSS pixels. */
  hover(cell: number, x: number, y: number, at: { readonly x: number; readonly y: number }): void;
  leave(): void;
  click(cell: number): void;
}

export function listenToPointer(mapView: MapView, scene: () => Scene | null, actions: PointerActions): void {
  const { canvas } = mapView.viewer;
  const cellAt = (x: number, y: number): number => {
    const now = scene();
    if (!now) return -1;
    const { left, top, side } = mapView.frame();
    return now.level.at(
      Math.floor(((y - top) / side) * now.level.size),
      Math.floor(((x - left) / side) * now.level.size),
    );
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons) return;
    const { left, top } = canvas.getBoundingClientRect();
    const at = { x: event.clientX - left, y: event.clientY - top };
    actions.hover(cellAt(at.x, at.y), event.clientX, event.clientY, at);
  });
  canvas.addEventListener("pointerleave", actions.leave);
  canvas.addEventListener("pointerdown", actions.leave);
  mapView.viewer.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const cell = cellAt(event.position.x, event.position.y);
    if (cell >= 0) actions.click(cell);
  });
}
