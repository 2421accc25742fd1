// Switch for the style of the icons; hidden where the shown atlases have one style.

import { type IconStyle, inStyle, nextStyle, STYLE_INFOS, styleOf } from "../data/icon-styles";
import { type AtlasEntry, find, type Manifest } from "../data/manifest";
import type { Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";

export class StyleSwitch {
  private readonly styles;
  private offeredStyles = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    this.styles = createRadioGroup("Icons", (value) =>
      store.set({ style: inStyle(this.atlas, value as IconStyle).style ?? null }),
    );
    this.styles.element.classList.add("styles");
    store.subscribe(() => this.update());
    this.update();
  }

  get element(): HTMLElement {
    return this.styles.element;
  }

  /** Show the next style; without effect where there is one. */
  next(): void {
    const { atlas } = this;
    if (atlas.styles.length > 1) this.store.set({ style: nextStyle(atlas) });
  }

  /** The shown atlas, or that of the second map if only that one has several styles. */
  private get atlas(): AtlasEntry {
    const { layer, atlas, style, split } = this.store.state;
    const first = find(this.manifest, layer, atlas, style).atlas;
    return split && first.styles.length < 2
      ? find(this.manifest, split.layer, split.atlas, style).atlas
      : first;
  }

  private update(): void {
    const { atlas } = this;
    const { styles } = atlas;
    this.element.hidden = styles.length < 2;
    if (styles.join() !== this.offeredStyles) {
      this.offeredStyles = styles.join();
      this.styles.setOptions(
        styles.map((style) => ({
          value: style,
          label: STYLE_INFOS[style].name,
          title: `${STYLE_INFOS[style].name}: ${STYLE_INFOS[style].meaning}`,
        })),
      );
    }
    this.styles.choose(styleOf(atlas));
  }
}
