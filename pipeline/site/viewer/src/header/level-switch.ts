// Switch for the grid level.

import { find, type Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";

const WITHOUT_ICONS = "No cell of this level has enough samples for an icon.";

/** Row of grid levels; the one chosen by the zoom is marked, those without icons are disabled. */
export class LevelSwitch {
  private readonly levels;
  private offered = "";

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
    const { levels } = find(this.manifest, layer, atlas).atlas;
    const offered = levels.map(({ size, drawn }) => `${size}:${drawn > 0}`).join();
    if (offered !== this.offered) {
      this.offered = offered;
      this.levels.setOptions([
        { value: "auto", label: "auto" },
        ...levels.map(({ size, drawn }) => ({
          value: String(size),
          label: String(size),
          ...(drawn ? {} : { title: WITHOUT_ICONS, disabled: true }),
        })),
      ]);
    }
    this.levels.choose(level === null ? "auto" : String(level));
  }
}
