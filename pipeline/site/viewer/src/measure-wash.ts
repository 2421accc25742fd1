// The colour of a measure over the icons, which stay visible through it.

import type { Colour } from "./mask";
import { ramp } from "./measure-colours";
import { kindOf } from "./measure-kinds";
import { position, rangeOf } from "./measure-range";
import type { OverlayLayer } from "./overlay";
import type { Frame } from "./picture";
import type { Scene } from "./scene";
import type { Store } from "./state";

const STEPS = 64;
const STOPS = 5;
const STRENGTH = 0.54;
const UNKNOWN = 0.8; // how much of an icon the paper covers where a cell does not have the measure

export class MeasureWash implements OverlayLayer {
  private readonly image = document.createElement("canvas");
  private shown = false;

  constructor(private readonly store: Store) {}

  rebuild({ level }: Scene, colour: (name: string) => Colour): void {
    const kind = kindOf(this.store.state.measure);
    const range = kind && rangeOf(level, kind);
    this.shown = range !== null;
    if (!kind || !range) return;
    const colours = scale(colour);
    const image = new ImageData(level.size, level.size);
    for (let cell = 0; cell < level.cells; cell++) {
      if (!level.isDrawn(cell)) continue;
      const value = level.value(kind.column, cell);
      const known = !Number.isNaN(value);
      const step = known ? Math.round(position(range, kind, value) * (STEPS - 1)) : -1;
      const pixel = [...(colours[step] ?? colour("--paper")), 255 * (known ? STRENGTH : UNKNOWN)];
      image.data.set(pixel, 4 * (level.row(cell) * level.size + level.column(cell)));
    }
    [this.image.width, this.image.height] = [level.size, level.size];
    this.image.getContext("2d")?.putImageData(image, 0, 0);
  }

  under(context: CanvasRenderingContext2D, { left, top, side }: Frame): void {
    if (this.shown) context.drawImage(this.image, left, top, side, side);
  }
}

/** The colours from the lowest to the highest value. */
function scale(colour: (name: string) => Colour): Colour[] {
  const stops = Array.from({ length: STOPS }, (_, index) => colour(`--measure-${index + 1}`));
  return ramp(stops, STEPS);
}
