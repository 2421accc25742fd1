// Switch for the grid level.

import { find, type Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";

/** Row of grid levels; the one chosen by the zoom is marked. */
export class LevelSwitch {
  private readonly levels;
  private offeredSizes = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    this.levels = createRadioGroup("Grid level", (value) =>
      store.set({ level: value === "auto" ? null : Number(value) }),
    );
    this.levels.element.classList.add("levels");
    store.subscribe(() => this.update());
    this.update();
  }

  get element(): HTMLElement {
    return this.levels.element;
  }

  show({ level }: Scene): void {
    for (const label of this.element.querySelectorAll("label")) {
      label.toggleAttribute("data-shown", label.dataset.value === String(level.size));
    }
  }

  private update(): void {
    const { layer, atlas, level } = this.store.state;
    const sizes = find(this.manifest, layer, atlas).atlas.levels.map(({ size }) => String(size));
    if (sizes.join() !== this.offeredSizes) {
      this.offeredSizes = sizes.join();
      this.levels.setOptions([
        { value: "auto", label: "auto" },
        ...sizes.map((size) => ({ value: size, label: size })),
      ]);
    }
    this.levels.choose(level === null ? "auto" : String(level));
  }
}
