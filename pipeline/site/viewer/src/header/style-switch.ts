// Switch for the picture of a cell: an icon in one of its styles, or a photograph; hidden where there is no choice.

import { type IconStyle, inStyle, nextStyle, STYLE_INFOS, styleOf } from "../data/icon-styles";
import { type AtlasEntry, find, hasPhotographs, type Manifest } from "../data/manifest";
import type { Store } from "../state/state";
import { createRadioGroup, type RadioOption } from "../ui/controls";

const PHOTOGRAPHS = {
  value: "photographs",
  label: "Photographs",
  title: "Photographs: the patch of each cell's nearest exemplar in place of its icon",
};

export class StyleSwitch {
  private readonly styles;
  private readonly photographs: boolean;
  private offered = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    this.photographs = hasPhotographs(manifest);
    this.styles = createRadioGroup("Icons", (value) => this.choose(value));
    this.styles.element.classList.add("styles");
    store.subscribe(() => this.update());
    this.update();
  }

  get element(): HTMLElement {
    return this.styles.element;
  }

  /** Show the icons in the next style; without effect where there is one. */
  next(): void {
    const { atlas } = this;
    if (this.store.state.photographs) this.store.set({ photographs: false });
    else if (atlas.styles.length > 1) this.store.set({ style: nextStyle(atlas) });
  }

  /** Show photographs in place of icons, or icons again; without effect where there are no photographs. */
  togglePhotographs(): void {
    if (this.photographs) this.store.set({ photographs: !this.store.state.photographs });
  }

  private choose(value: string): void {
    if (value === PHOTOGRAPHS.value) this.store.set({ photographs: true });
    else this.store.set({ style: inStyle(this.atlas, value as IconStyle).style ?? null, photographs: false });
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
    const options = this.optionsFor(atlas);
    this.element.hidden = options.length < 2;
    const offered = options.map(({ value }) => value).join();
    if (offered !== this.offered) {
      this.offered = offered;
      this.styles.setOptions(options);
    }
    this.styles.choose(this.store.state.photographs ? PHOTOGRAPHS.value : styleOf(atlas));
  }

  private optionsFor({ styles }: AtlasEntry): RadioOption[] {
    const icons = styles.map((style) => {
      const { name, meaning } = STYLE_INFOS[style];
      return { value: style, label: styles.length > 1 ? name : "Icons", title: `${name}: ${meaning}` };
    });
    return this.photographs ? [...icons, PHOTOGRAPHS] : icons;
  }
}
