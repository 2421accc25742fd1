// The selected region: kept in the state, shown in a panel of its own, which exists only while there is one.

import { announce } from "./announce";
import { count } from "./format";
import type { Manifest } from "./manifest";
import { extent, region } from "./region";
import { type RegionActions, regionPanel } from "./region-panel";
import type { Scene, Stage } from "./scene";
import type { Sight } from "./sight";
import type { Store } from "./state";

export class Regions {
  private panel: HTMLElement | null = null;
  private shown = "";

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
      if (state.box !== before.box && stage.scene) this.show(stage.scene);
    });
  }

  /** Show the region, which may belong to another level than the one in sight. */
  private show(scene: Scene): void {
    const { box } = this.store.state;
    document.documentElement.toggleAttribute("data-region", box !== null);
    if (!box) this.hide();
    else if (scene.level.size === box.size) this.showIn(scene);
    else {
      const still = (): boolean => box === this.store.state.box;
      this.stage.sceneAt(box.size).then((other) => still() && this.showIn(other), this.actions.report);
    }
  }

  private showIn(scene: Scene): void {
    const { box } = this.store.state;
    if (!box) return;
    const place = [scene.level.name, box.top, box.left, box.bottom, box.right].join("/");
    const name = `${place}/${scene.heat?.classId}/${scene.density?.of === "second"}`;
    if (name === this.shown) return;
    const fresh = !this.shown.startsWith(`${place}/`);
    const scrolled = fresh ? 0 : (this.panel?.scrollTop ?? 0);
    this.hide();
    this.shown = name;
    this.panel = regionPanel(this.manifest, scene, box, this.actions);
    this.page.append(this.panel);
    this.panel.scrollTop = scrolled;
    if (!fresh) return;
    announce(`Region of ${extent(box)}: ${count(region(scene.level, box).samples, "sample")}.`);
    this.sight.revealBox(box);
  }

  private hide(): void {
    this.shown = "";
    this.panel?.remove();
    this.panel = null;
  }
}
