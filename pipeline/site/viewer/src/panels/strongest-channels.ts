// Section of the cell panel: the channels that stand out in the cell; choosing one shows it on the map.

import { type CellChannel, formatActivation, formatDeviations, loadCellChannels } from "../data/channels";
import type { Scene } from "../state/scene";
import { createSection } from "../ui/controls";
import { el } from "../ui/dom";

const MEANING =
  "Mean activation in the cell, and how far it lies above the layer's mean, in standard deviations (SD) of the layer's " +
  "samples: so channels that are active everywhere do not lead every cell.";

export interface ChannelActions {
  /** Show a channel on the map, or no longer. */
  showChannel(channel: number): void;
  reportError(error: unknown): void;
}

/** The section; `units` are the channels of the layer that have a page of their own. */
export function createStrongestChannels(
  scene: Scene,
  cell: number,
  units: readonly number[],
  actions: ChannelActions,
): HTMLElement {
  const found = el("div", { class: "channels" }, el("div", { class: "loading" }));
  loadCellChannels(scene, cell).then((channels) => {
    found.replaceChildren(
      createRows(channels, actions),
      ...createUnitLinks(scene.layer.name, channels, units),
    );
    markShownChannel(found, scene);
  }, actions.reportError);
  return createSection("Strongest channels", found, el("p", { class: "secondary" }, MEANING));
}

/** Links to the pages of those channels that have one. */
function createUnitLinks(
  layer: string,
  channels: readonly CellChannel[],
  units: readonly number[],
): HTMLElement[] {
  const links = channels
    .filter(({ channel }) => units.includes(channel))
    .flatMap(({ channel }, index) => {
      const href = `units.html#${new URLSearchParams({ layer, unit: String(channel) })}`;
      return [index ? ", " : "", el("a", { href }, String(channel))];
    });
  return links.length
    ? [el("p", { class: "secondary unit-links" }, "What single channels respond to: ", ...links)]
    : [];
}

/** Mark the row of the channel that the map shows. */
export function markShownChannel(element: HTMLElement, { channel }: Pick<Scene, "channel">): void {
  for (const button of element.querySelectorAll<HTMLElement>(".channels button")) {
    const shown = Number(button.dataset.channel) === channel?.channel;
    button.setAttribute("aria-pressed", String(shown));
    button.parentElement?.classList.toggle("highlighted", shown);
  }
}

function createRows(channels: readonly CellChannel[], { showChannel }: ChannelActions): HTMLElement {
  const longest = channels[0]?.deviations;
  if (longest === undefined)
    return el("p", { class: "empty" }, "No channel's mean lies above that of the layer here.");
  const list = el("ol", { class: "bars" });
  for (const { channel, value, deviations } of channels) {
    const bar = el("span", { class: "bar" });
    bar.style.width = `${(100 * deviations) / longest}%`;
    const button = el(
      "button",
      { type: "button", "data-channel": channel, title: "Show this channel on the map" },
      el("span", { class: "name" }, `Channel ${channel}`),
      el("span", { class: "value" }, `${formatActivation(value)} · ${formatDeviations(deviations)}`),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    );
    button.addEventListener("click", () => showChannel(channel));
    list.append(el("li", {}, button));
  }
  return list;
}
