// Menu next to the zoom buttons: colors by a measure or a channel, labels and marks of cells to doubt.

import { find, type Manifest } from "../data/manifest";
import { MEASURE_INFOS, parseMeasure } from "../data/measures";
import { isRecorded } from "../data/recorded";
import type { State, Store } from "../state/state";
import { createRadioGroup } from "../ui/controls";
import { createButton, createSvgIcon, el } from "../ui/dom";
import { ChannelField } from "./channel-field";

type OverlaySwitch = "labels" | "marks" | "samples";

export class MeasureMenu {
  readonly element = el("div", {
    class: "measure-menu",
    id: "measure-menu",
    role: "group",
    "aria-label": "Show",
    hidden: true,
  });
  readonly button = createButton(
    "Show",
    createSvgIcon("M10 3 17 6.8 10 10.6 3 6.8Z", "M3.2 10.2 10 13.9l6.8-3.7", "M3.2 13.4 10 17.1l6.8-3.7"),
    () => this.toggle(),
  );
  private readonly measures;
  private readonly channel: ChannelField;
  private readonly switches: Readonly<Record<OverlaySwitch, HTMLInputElement>>;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    this.button.setAttribute("aria-controls", "measure-menu");
    this.button.setAttribute("aria-expanded", "false");
    this.measures = createRadioGroup("Color of the cells", (value) =>
      store.set({ measure: parseMeasure(value), channel: null }),
    );
    this.channel = new ChannelField("A channel", (channel) => store.set({ channel }));
    this.measures.element.classList.add("stacked");
    this.measures.setOptions([
      { value: "icons", label: "Icons only" },
      ...MEASURE_INFOS.map(({ measure, name }) => ({ value: measure, label: name })),
    ]);
    this.switches = {
      labels: this.createCheckbox((labels) => store.set({ labels })),
      marks: this.createCheckbox((marks) => store.set({ marks })),
      samples: this.createCheckbox((shown) => this.showSamples(shown)),
    };
    this.element.append(
      el("p", { class: "secondary" }, "Color the cells by"),
      this.measures.element,
      this.channel.element,
      ...(isRecorded(manifest, "attributions") ? [createSwitch(this.switches.labels, "Labels", "n")] : []),
      createSwitch(this.switches.marks, "Cells to doubt", "d"),
      createSwitch(this.switches.samples, "Samples as points", "m"),
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerdown", (event) => this.closeOnOutsidePress(event), true);
    store.subscribe((state) => this.update(state));
    this.update(store.state);
  }

  /** Open the menu at the field for a channel. */
  openChannel(): void {
    this.toggle(true);
    this.channel.input.focus();
    this.channel.input.select();
  }

  private toggle(open = this.element.hidden === true): void {
    this.element.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.element.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.toggle(false);
    this.button.focus();
  }

  private closeOnOutsidePress({ target }: Event): void {
    if (this.element.hidden || !(target instanceof Node)) return;
    if (!this.element.contains(target) && !this.button.contains(target)) this.toggle(false);
  }

  private createCheckbox(set: (on: boolean) => void): HTMLInputElement {
    const box = el("input", { type: "checkbox" });
    box.addEventListener("change", () => set(box.checked));
    return box;
  }

  /** Show samples as points, by default if they are not shown; of several classes only the first stays highlighted. */
  showSamples(shown = this.store.state.show !== "samples"): void {
    const { also, classId } = this.store.state;
    const several = shown && also.length ? { classId } : {};
    this.store.set({ show: shown ? "samples" : "attribution", ...several });
  }

  private update({ measure, channel, labels, marks, show, layer, atlas }: State): void {
    this.measures.choose(channel === null ? (measure ?? "icons") : "");
    this.channel.show(find(this.manifest, layer, atlas).layer.channels, channel);
    this.switches.labels.checked = labels;
    this.switches.marks.checked = marks;
    this.switches.samples.checked = show === "samples";
    this.button.toggleAttribute(
      "data-on",
      measure !== null || channel !== null || marks || show === "samples",
    );
  }
}

function createSwitch(box: HTMLInputElement, text: string, key: string): HTMLElement {
  return el(
    "label",
    { class: "switch" },
    box,
    el("span", {}, text),
    el("kbd", { "aria-hidden": "true" }, key),
  );
}
