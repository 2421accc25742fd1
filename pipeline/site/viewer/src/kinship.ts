// In each of two pictures the marks of the cells that hold the samples of the other one's marked cell.

import { type Kin, kinOf } from "./kin";
import type { Pane, Surroundings } from "./pane";
import type { Scene } from "./scene";

/** Mark them anew, after either picture shows or marks something else; `open` tells whether both are still there. */
export function markKin(surroundings: Surroundings, one: Pane, other: Pane, open: () => boolean): void {
  markIn(surroundings, one, other, open);
  markIn(surroundings, other, one, open);
}

function markIn({ manifest, report }: Surroundings, pane: Pane, from: Pane, open: () => boolean): void {
  const [here, there] = [pane.stage.scene, from.stage.scene];
  const cell = there ? marked(from, there) : -1;
  if (!here || !there || cell < 0) {
    pane.overlay.echo([]);
    return;
  }
  const still = (): boolean =>
    open() && from.stage.scene === there && pane.stage.scene === here && marked(from, there) === cell;
  kinOf(manifest, there, cell, here).then((kin: readonly Kin[]) => {
    if (still()) pane.overlay.echo(kin);
  }, report);
}

/** The cell under a picture's cursor, or else its pinned one. */
function marked({ overlay, store }: Pane, { level }: Scene): number {
  const { pin } = store.state;
  if (overlay.marked >= 0) return overlay.marked;
  return pin && pin.size === level.size ? level.at(pin.row, pin.column) : -1;
}
