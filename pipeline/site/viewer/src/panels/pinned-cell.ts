// The pinned cell: stored in the state, shown in the panel.

import type { CellAddress } from "../data/area";
import type { Manifest } from "../data/manifest";
import type { Viewport } from "../map/viewport";
import type { Scene, SceneStore } from "../state/scene";
import type { Store } from "../state/state";
import { describeMissing } from "../state/url-hash";
import { announce } from "../ui/accessibility";
import { showNotice } from "../ui/page";
import { describeCell } from "./cell-description";
import type { CellPanel } from "./cell-panel";

export class PinnedCell {
  /** Pin to move into view when its panel is shown. */
  pendingReveal: CellAddress | null = null;
  private requestId = 0; // number of requests: only the last one is shown

  constructor(
    private readonly store: Store,
    private readonly scenes: SceneStore,
    private readonly panel: CellPanel,
    private readonly viewport: Viewport,
    private readonly manifest: Manifest,
    private readonly reportError: (error: unknown) => void,
  ) {}

  /** Pin a cell of the shown level. */
  pin(cell: number): void {
    const { current: scene } = this.scenes;
    if (!scene) return;
    const { level, layer, atlas } = scene;
    if (layer.name !== this.store.state.layer || atlas.name !== this.store.state.atlas) return; // another one is loading
    this.store.set({ pin: { size: level.size, row: level.row(cell), column: level.column(cell) } });
    announce(`Pinned. ${describeCell(this.manifest, scene, cell, this.store.state.sign)}`);
    this.viewport.reveal(cell);
  }

  unpin(): void {
    this.store.set({ pin: null });
  }

  /** Show the pinned cell, which may belong to another level than the shown one. */
  show(scene: Scene): void {
    const { pin, layer, atlas } = this.store.state;
    if (pin && (scene.layer.name !== layer || scene.atlas.name !== atlas)) return; // it is shown with its scene
    const requestId = ++this.requestId;
    document.documentElement.toggleAttribute("data-pinned", pin !== null);
    if (!pin) this.panel.hide();
    else if (scene.level.size === pin.size) this.showAt(scene);
    else
      this.scenes
        .loadSceneAt(pin.size)
        .then(
          (other) => requestId === this.requestId && pin === this.store.state.pin && this.showAt(other),
          this.reportError,
        );
  }

  private showAt(scene: Scene): void {
    const { pin } = this.store.state;
    if (!pin) return;
    const cell = scene.level.at(pin.row, pin.column);
    if (cell < 0) {
      this.unpin();
      showNotice(describeMissing([`an icon in cell “${pin.size}.${pin.row}.${pin.column}”`]));
    } else this.panel.show(scene, cell);
    if (cell < 0 || pin !== this.pendingReveal) return;
    this.pendingReveal = null;
    const { size, row, column } = pin;
    this.viewport.revealBox({ size, top: row, left: column, bottom: row, right: column });
  }
}
