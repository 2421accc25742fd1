// One picture of the page with everything that belongs to it: what it shows, what is drawn over it, its cursor.

import type { Manifest } from "../data/manifest";
import { Names, type Written } from "../labels/labels";
import { DoubtMarks, MeasureWash } from "../map/measure-overlay";
import { Overlay } from "../map/overlay";
import { Picture } from "../map/picture";
import { Sight } from "../map/viewport";
import type { Card } from "../panels/hover-card";
import { type Scene, Stage } from "../state/scene";
import type { Store } from "../state/state";
import { Cursor } from "./cursor";

/** Tell screen readers what the picture is and how to move in it. */
export function namePicture(canvas: Element, name = "Activation atlas"): void {
  canvas.setAttribute("role", "application");
  canvas.setAttribute("tabindex", "0");
  canvas.setAttribute(
    "aria-label",
    `${name}. Arrow keys move from cell to cell, Enter pins a cell, plus and minus zoom, ` +
      "question mark lists all keys.",
  );
}

declare global {
  /** For pages that show the atlas in a frame, and for tests; `beside` belongs to the second picture. */
  var atlas: { place: Place; beside?: Place; names(): Written[] } | undefined;
}

type Place = (row: number, column: number) => { x: number; y: number };

export interface Surroundings {
  readonly manifest: Manifest;
  /** The card beside the pointer; there is one pointer, and so one card. */
  readonly card: Card;
  report(error: unknown): void;
}

export class Pane {
  readonly stage: Stage;
  readonly picture: Picture;
  readonly overlay: Overlay;
  readonly names: Names;
  readonly sight: Sight;
  readonly cursor: Cursor;

  constructor(
    { manifest, card, report }: Surroundings,
    readonly store: Store,
    /** The element that the picture fills. */
    element: HTMLElement,
    minimap: HTMLElement | null,
  ) {
    const { classes } = manifest.network;
    this.stage = new Stage(manifest, store, report);
    this.picture = new Picture(element, minimap, matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.overlay = new Overlay(this.picture, store);
    this.names = new Names(classes, this.picture, this.overlay, store, report);
    for (const layer of [new MeasureWash(store), new DoubtMarks(store), this.names]) this.overlay.add(layer);
    this.sight = new Sight(this.picture, this.stage);
    this.cursor = new Cursor(store, this.stage, this.picture, this.overlay, card, this.sight, classes);
  }

  get canvas(): HTMLElement {
    return this.picture.viewer.canvas as HTMLElement;
  }

  show(scene: Scene): void {
    const entry = scene.atlas.levels.find(({ size }) => size === scene.level.size);
    if (entry) this.picture.show(scene.layer.name, scene.atlas, entry);
    this.overlay.show(scene);
  }

  /** Answer the pointer: the cell under it is marked and told, a click on one is handed on. */
  listen(click: (cell: number) => void): void {
    listenToPointer(this.picture, () => this.stage.scene, {
      hover: (cell, x, y) => this.cursor.hover(cell, x, y),
      leave: () => this.cursor.leave(),
      click,
    });
  }

  /** Take the picture down for good. */
  end(): void {
    this.names.stop();
    this.overlay.end();
    this.picture.end();
  }

  focus(): void {
    this.canvas.focus({ preventScroll: true });
  }
}

// The pointer over the picture: which cell it is on, and which cell it pins.

export interface PointerActions {
  hover(cell: number, x: number, y: number): void;
  leave(): void;
  click(cell: number): void;
}

export function listenToPointer(picture: Picture, scene: () => Scene | null, actions: PointerActions): void {
  const { canvas } = picture.viewer;
  const cellAt = (x: number, y: number): number => {
    const now = scene();
    if (!now) return -1;
    const { left, top, side } = picture.frame();
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
  picture.viewer.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const cell = cellAt(event.position.x, event.position.y);
    if (cell >= 0) actions.click(cell);
  });
}
