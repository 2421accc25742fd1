// Caption of the map: layer, samples, icons and notes.

import { count, percent } from "../data/format";
import { type IconStyle, notableStyle } from "../data/icon-styles";
import {
  type AtlasEntry,
  atlasDescription,
  type LayerEntry,
  type Manifest,
  usesPrior,
} from "../data/manifest";
import { isRecorded, notRecorded } from "../data/recorded";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { createButton, el } from "../ui/dom";

const ACCENTUATED =
  "Accentuated: icons started from the patches of their cells' nearest exemplars and hold parts of these images.";
const DRAWN = "Drawn: every icon started from noise and holds no part of an image";
const PRIOR = ", only colors and textures of its cell's exemplars";
const PHOTOGRAPHS =
  "Photographs: each cell shows the patch of its nearest exemplar, the sample closest to its mean activation.";
const NO_ICONS = "No cell of this level has enough samples for an icon.";
const HIGH_ZERO_SHARE = 0.5;
const WEAK_RATIO = 0.1;

export class Caption {
  readonly element = el("div", { class: "caption" });
  private readonly provenanceButton = el("button", { type: "button", class: "link" }, "Provenance");

  constructor(
    private readonly manifest: Manifest,
    openProvenance: () => void,
  ) {
    this.provenanceButton.addEventListener("click", openProvenance);
  }

  show({ layer, atlas, level, photographs }: Scene): void {
    const entry = atlas.levels.find(({ size }) => size === level.size);
    const facts = [
      count(entry?.samples ?? 0, "sample"),
      ...(atlas.kind === "all" ? [`from ${count(this.manifest.images, "image")}`] : []),
      `${count(entry?.drawn ?? 0, "icon")} on ${level.size}\u00a0×\u00a0${level.size}`,
    ];
    const children = [
      el("h2", {}, layer.name),
      ...(atlas.kind === "all"
        ? []
        : [el("p", { class: "atlas-description" }, atlasDescription(this.manifest, atlas))]),
      el("p", { class: "network" }, `${this.manifest.network.name}, ${count(layer.channels, "channel")}`),
      el("p", { class: "secondary" }, facts.join(" · ")),
      ...[...(entry?.drawn ? [] : [NO_ICONS]), ...this.createNotes(layer, atlas, photographs)].map((note) =>
        el("p", { class: "secondary note" }, note),
      ),
      ...createComparisonNotes(layer, atlas),
      el("p", { class: "provenance-link" }, this.provenanceButton),
    ];
    this.element.replaceChildren(...children);
  }

  private createNotes(layer: LayerEntry, atlas: AtlasEntry, photographs: boolean): string[] {
    const style = notableStyle(atlas);
    const notes = photographs ? [PHOTOGRAPHS] : style ? [this.describeStyle(style)] : [];
    const strengths = this.manifest.layers.flatMap(({ atlases }) =>
      atlases.map(({ heatmap }) => heatmap?.strength ?? 0),
    );
    const own = Math.max(...layer.atlases.map(({ heatmap }) => heatmap?.strength ?? 0));
    if (!isRecorded(this.manifest, "attributions"))
      notes.push(notRecorded("Class attributions were", "attributions"));
    else if (layer.atlases.every(({ heatmap }) => heatmap === null))
      notes.push("All attributions of this layer are exactly zero.");
    else if (own < WEAK_RATIO * Math.max(...strengths)) {
      notes.push("Attributions at this early layer are weak; treat its top classes with caution.");
    }
    if (layer.zero_share !== null && layer.zero_share >= HIGH_ZERO_SHARE) {
      notes.push(`${percent(layer.zero_share)} of this layer's attributions are exactly zero.`);
    }
    return notes;
  }

  private describeStyle(style: IconStyle): string {
    return style === "accentuated" ? ACCENTUATED : `${DRAWN}${usesPrior(this.manifest) ? PRIOR : ""}.`;
  }
}

/** Notes on the axis, and the link to the patch test. */
function createComparisonNotes(layer: LayerEntry, { name, axis }: AtlasEntry): HTMLElement[] {
  if (!axis) return [];
  const href = `patch.html#${encodeURIComponent(layer.name)}/${encodeURIComponent(name)}`;
  const beyond = axis.clipped
    ? `${percent(axis.clipped)} of the samples lie outside the range of the axis.`
    : null;
  return [
    ...(beyond ? [el("p", { class: "secondary" }, beyond)] : []),
    el("p", {}, el("a", { href }, "Patch test")),
  ];
}

/** Button that shows the density of the second image set; hidden if there is none. */
export class SecondSetButton {
  readonly element: HTMLElement = el("span", { hidden: true });

  constructor(
    { second_image_set: second }: Manifest,
    private readonly store: Store,
  ) {
    if (!second) return;
    const content = el("span", {}, "Density of ", el("em", {}, second.title));
    this.element = createButton(`Density of ${second.title}`, content, () => this.toggle(), "second-set");
  }

  /** Follow the shown scene, not the requested one: the button's size changes the room of the map. */
  show({ atlas }: Scene): void {
    if (!(this.element instanceof HTMLButtonElement)) return;
    const { show, classId } = this.store.state;
    this.element.hidden = classId !== null || atlas.kind !== "all"; // the toolbar of a class offers it, too
    this.element.setAttribute("aria-pressed", String(show === "second"));
  }

  private toggle(): void {
    const shown = this.store.state.show === "second";
    this.store.set(
      shown ? { show: "attribution" } : { show: "second", classId: null, sign: 1, intensity: 1 },
    );
  }
}
