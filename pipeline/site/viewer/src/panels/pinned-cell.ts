// The pinned cell: kept in the state, shown in the panel.

import type { CellAddress } from "../data/area";
import type { Sight } from "../map/viewport";
import type { Scene, Stage } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { spoken } from "./cell-description";
import type { Panel } from "./cell-panel";

export class Pins {
  /** The pin to bring into sight as soon as its panel stands. */
  awaited: CellAddress | null = null;
  private asked = 0; // counts what was to be shown: only the last is

  constructor(
    private readonly store: Store,
    private readonly stage: Stage,
    private readonly panel: Panel,
    private readonly sight: Sight,
    private readonly names: readonly string[],
    private readonly report: (error: unknown) => void,
  ) {}

  /** Pin a cell of the shown level. */
  pin(cell: number): void {
    const { scene } = this.stage;
    if (!scene) return;
    const { level } = scene;
    this.store.set({ pin: { size: level.size, row: level.row(cell), column: level.column(cell) } });
    announce(`Pinned. ${spoken(scene, cell, this.names, this.store.state.sign)}`);
    this.sight.reveal(cell);
  }

  unpin(): void {
    this.store.set({ pin: null });
  }

  /** Show the pinned cell, which may belong to another level than the one in sight. */
  show(scene: Scene): void {
    const { pin, layer, atlas } = this.store.state;
    const current = scene.layer.name === layer && scene.atlas.name === atlas;
    const asked = ++this.asked;
    document.documentElement.toggleAttribute("data-pinned", pin !== null);
    if (!pin) this.panel.hide();
    else if (current && scene.level.size === pin.size) this.showIn(scene);
    else
      this.stage
        .sceneAt(pin.size)
        .then(
          (other) => asked === this.asked && pin === this.store.state.pin && this.showIn(other),
          this.report,
        );
  }

  private showIn(scene: Scene): void {
    const { pin } = this.store.state;
    if (!pin) return;
    const cell = scene.level.at(pin.row, pin.column);
    if (cell < 0) this.unpin();
    else this.panel.show(scene, cell);
    if (cell < 0 || pin !== this.awaited) return;
    this.awaited = null;
    const { size, row, column } = pin;
    this.sight.revealBox({ size, top: row, left: column, bottom: row, right: column });
  }
}
