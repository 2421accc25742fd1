// The selected region: stored in the state, shown in its own panel, which exists only while there is one.

import { count } from "../data/format";
import { styleOf } from "../data/icon-styles";
import type { Manifest } from "../data/manifest";
import type { Viewport } from "../map/viewport";
import { encodeCells } from "../state/area-code";
import type { Scene, SceneStore } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { describeExtent, summarizeRegion } from "./region";
import { createRegionPanel, type RegionActions } from "./region-panel";

export class SelectedRegion {
  private panel: HTMLElement | null = null;
  private currentKey = "";
  private requestId = 0; // number of requests: only the last one is shown

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly scenes: SceneStore,
    private readonly viewport: Viewport,
    private readonly page: HTMLElement,
    private readonly actions: RegionActions,
  ) {
    scenes.onChange((scene) => this.show(scene));
    store.subscribe((state, before) => {
      if (state.selection !== before.selection && scenes.current) this.show(scenes.current);
    });
  }

  /** Show the region, which may belong to another level than the shown one. */
  private show(scene: Scene): void {
    const { selection, layer, atlas } = this.store.state;
    if (selection && (scene.layer.name !== layer || scene.atlas.name !== atlas)) return; // it is shown with its scene
    const requestId = ++this.requestId;
    document.documentElement.toggleAttribute("data-region", selection !== null);
    if (!selection) this.hide();
    else if (scene.level.size === selection.size) this.showAt(scene);
    else {
      const still = (): boolean => requestId === this.requestId && selection === this.store.state.selection;
      this.scenes
        .loadSceneAt(selection.size)
        .then((other) => still() && this.showAt(other), this.actions.reportError);
    }
  }

  private showAt(scene: Scene): void {
    const { selection } = this.store.state;
    if (!selection) return;
    const positionKey = `${scene.level.name}/${encodeCells(selection)}`;
    const classes = scene.highlights.map(({ id }) => id);
    const name = `${positionKey}/${classes}/${scene.density?.of === "second"}/${styleOf(scene.atlas)}`;
    if (name === this.currentKey) return;
    const [first, fresh] = [this.currentKey === "", !this.currentKey.startsWith(`${positionKey}/`)];
    const scrolled = fresh ? 0 : (this.panel?.scrollTop ?? 0);
    this.hide();
    this.currentKey = name;
    this.panel = createRegionPanel(this.manifest, scene, selection, this.actions);
    this.panel.toggleAttribute("data-settled", !first); // animated only once
    this.page.append(this.panel);
    this.panel.scrollTop = scrolled;
    if (!fresh) return;
    announce(
      `Region of ${describeExtent(selection)}: ${count(summarizeRegion(scene.level, selection).samples, "sample")}.`,
    );
    if (first) this.viewport.revealBox(selection.bounds);
  }

  private hide(): void {
    this.currentKey = "";
    this.panel?.remove();
    this.panel = null;
  }
}
