// The selected region: kept in the state, shown in a panel of its own, which exists only while there is one.

import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import type { Sight } from "../map/viewport";
import { exact } from "../state/area-code";
import type { Scene, Stage } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { extent, region } from "./region";
import { type RegionActions, regionPanel } from "./region-panel";

export class Regions {
  private panel: HTMLElement | null = null;
  private shown = "";
  private asked = 0; // counts what was to be shown: only the last is

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly stage: Stage,
    private readonly sight: Sight,
    private readonly page: HTMLElement,
    private readonly actions: RegionActions,
  ) {
    stage.onChange((scene) => this.show(scene));
    store.subscribe((state, before) => {
      if (state.selection !== before.selection && stage.scene) this.show(stage.scene);
    });
  }

  /** Show the region, which may belong to another level than the one in sight. */
  private show(scene: Scene): void {
    const { selection, layer, atlas } = this.store.state;
    const current = scene.layer.name === layer && scene.atlas.name === atlas;
    const asked = ++this.asked;
    document.documentElement.toggleAttribute("data-region", selection !== null);
    if (!selection) this.hide();
    else if (current && scene.level.size === selection.size) this.showIn(scene);
    else {
      const still = (): boolean => asked === this.asked && selection === this.store.state.selection;
      this.stage.sceneAt(selection.size).then((other) => still() && this.showIn(other), this.actions.report);
    }
  }

  private showIn(scene: Scene): void {
    const { selection } = this.store.state;
    if (!selection) return;
    const place = `${scene.level.name}/${exact(selection)}`;
    const name = `${place}/${scene.highlights.map(({ id }) => id)}/${scene.density?.of === "second"}`;
    if (name === this.shown) return;
    const [first, fresh] = [this.shown === "", !this.shown.startsWith(`${place}/`)];
    const scrolled = fresh ? 0 : (this.panel?.scrollTop ?? 0);
    this.hide();
    this.shown = name;
    this.panel = regionPanel(this.manifest, scene, selection, this.actions);
    this.panel.toggleAttribute("data-settled", !first); // it slides in once
    this.page.append(this.panel);
    this.panel.scrollTop = scrolled;
    if (!fresh) return;
    announce(`Region of ${extent(selection)}: ${count(region(scene.level, selection).samples, "sample")}.`);
    if (first) this.sight.revealBox(selection.bounds);
  }

  private hide(): void {
    this.shown = "";
    this.panel?.remove();
    this.panel = null;
  }
}
