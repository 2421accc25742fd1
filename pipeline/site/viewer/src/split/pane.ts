// A pane: one map with its overlay, labels and cursor.

import type { Manifest } from "../data/manifest";
import { Labels, type WrittenLabel } from "../labels/labels";
import { MapView } from "../map/map-view";
import { DoubtMarks, MeasureColors } from "../map/measure-overlay";
import { Overlay } from "../map/overlay";
import { Viewport } from "../map/viewport";
import type { HoverCard } from "../panels/hover-card";
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

export class Pane {
  readonly scenes: SceneStore;
  readonly mapView: MapView;
  readonly overlay: Overlay;
  readonly labels: Labels;
  readonly viewport: Viewport;
  readonly cursor: Cursor;

  constructor(
    { manifest, card, reportError }: PaneContext,
    readonly store: Store,
    /** Element of the map. */
    element: HTMLElement,
    minimap: HTMLElement | null,
  ) {
    const { classes } = manifest.network;
    this.scenes = new SceneStore(manifest, store, reportError);
    this.mapView = new MapView(element, minimap, matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.overlay = new Overlay(this.mapView, store);
    this.labels = new Labels(classes, this.mapView, this.overlay, store, reportError);
    for (const layer of [new MeasureColors(store), new DoubtMarks(manifest.verdict, store), this.labels])
      this.overlay.add(layer);
    this.viewport = new Viewport(this.mapView, this.scenes);
    this.cursor = new Cursor(store, this.scenes, this.mapView, this.overlay, card, this.viewport, manifest);
  }

  get canvas(): HTMLElement {
    return this.mapView.viewer.canvas as HTMLElement;
  }

  show(scene: Scene): void {
    const entry = scene.atlas.levels.find(({ size }) => size === scene.level.size);
    if (entry) this.mapView.show(scene.layer.name, scene.atlas, entry);
    this.overlay.show(scene);
  }

  /** Connect the pointer: hovering marks a cell and shows its card, clicks are passed on. */
  listen(click: (cell: number) => void): void {
    listenToPointer(this.mapView, () => this.scenes.current, {
      hover: (cell, x, y) => this.cursor.hover(cell, x, y),
      leave: () => this.cursor.leave(),
      click,
    });
  }

  /** Destroy the map. */
  destroy(): void {
    this.labels.stop();
    this.overlay.end();
    this.mapView.destroy();
  }

  focus(): void {
    this.canvas.focus({ preventScroll: true });
  }
}

// Pointer events of the map, as cells.

export interface PointerActions {
  hover(cell: number, x: number, y: number): void;
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
    const cell = cellAt(event.clientX - left, event.clientY - top);
    if (cell < 0) actions.leave();
    else actions.hover(cell, event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", actions.leave);
  canvas.addEventListener("pointerdown", actions.leave);
  mapView.viewer.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const cell = cellAt(event.position.x, event.position.y);
    if (cell >= 0) actions.click(cell);
  });
}
