// Legend of the shown channel, below the caption: its colors, its strongest cells, and a field for another channel.

import { type ChannelMap, formatActivation, positionBetween } from "../data/channels";
import type { Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon, el } from "../ui/dom";
import { addressOf, cellName, createCellButton } from "../ui/icons";
import { ChannelField } from "./channel-field";
import { createEnds } from "./measure-legend";
import type { FollowCell } from "./other-layers";

export class ChannelLegend {
  readonly element = el("section", {
    class: "channel-legend",
    "aria-label": "Channel",
    hidden: true,
  });
  private readonly field: ChannelField;
  private readonly content = el("div", { class: "channel-content" });
  private announcedName = "";

  constructor(
    private readonly manifest: Manifest,
    store: Store,
    private readonly follow: FollowCell,
  ) {
    this.field = new ChannelField("Channel", (channel) => store.set({ channel }));
    const away = createButton("Show icons only", createSvgIcon("M6 6 14 14", "M14 6 6 14"), () =>
      store.set({ channel: null }),
    );
    this.element.append(el("div", { class: "heading" }, this.field.element, away), this.content);
  }

  show(scene: Scene): void {
    const { channel: found, layer } = scene;
    this.element.hidden = !found;
    const name = found ? `${scene.level.name}/${found.channel}` : "";
    const isNew = name !== this.announcedName;
    this.announcedName = name;
    if (!found) return;
    this.field.show(layer.channels, found.channel);
    const [low, high] = [formatActivation(found.least), formatActivation(found.most)];
    const tick = el("span", { class: "tick" });
    tick.style.left = `${100 * positionBetween(found, found.mean)}%`;
    this.content.replaceChildren(
      el("div", { class: "measure-scale", "aria-hidden": "true" }, tick),
      createEnds([
        ["lowest", low],
        ["layer's mean", formatActivation(found.mean)],
        ["highest", high],
      ]),
      el(
        "p",
        { class: "secondary" },
        "Mean activation of the channel in each cell; the mark is the layer's mean.",
      ),
      el("h4", {}, "Strongest cells"),
      this.createCells(scene, found),
    );
    if (isNew) announce(`Channel ${found.channel}: mean activation ${low} to ${high}`);
  }

  private createCells({ layer, atlas }: Scene, { source, strongest }: ChannelMap): HTMLElement {
    const names = this.manifest.network.classes;
    const buttons = strongest.map(({ cell, value }) => {
      const view = { layer: layer.name, atlas, level: source, cell };
      const text = formatActivation(value);
      const go = (): void => this.follow(layer.name, addressOf(view));
      return createCellButton(view, text, `${cellName(names, view)}; mean activation ${text}`, go);
    });
    return el("div", { class: "strongest-cells" }, ...buttons);
  }
}
