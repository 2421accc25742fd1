// One picture of the page with everything that belongs to it: what it shows, what is drawn over it, its cursor.

import type { Card } from "./card";
import { Cursor } from "./cursor";
import type { Manifest } from "./manifest";
import { DoubtMarks } from "./measure-marks";
import { MeasureWash } from "./measure-wash";
import { Names } from "./names";
import { Overlay } from "./overlay";
import { Picture } from "./picture";
import { listenToPointer } from "./pointer";
import { type Scene, Stage } from "./scene";
import { Sight } from "./sight";
import type { Store } from "./state";

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
