// Field for the index of a channel; what the layer does not have is answered with its range.

import { parseInteger } from "../data/format";
import { el } from "../ui/dom";

let fields = 0;

export class ChannelField {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly error: HTMLElement;
  private channels = 0;

  constructor(
    name: string,
    private readonly choose: (channel: number | null) => void,
  ) {
    const id = `channel-error-${fields++}`;
    this.input = el("input", {
      type: "number",
      min: 0,
      step: 1,
      inputmode: "numeric",
      "aria-describedby": id,
    });
    this.error = el("p", { class: "error", id, role: "alert", hidden: true });
    const label = el("label", {}, el("span", {}, name), this.input);
    this.element = el("div", { class: "channel-field" }, label, this.error);
    this.input.addEventListener("change", () => this.changed());
  }

  /** Show the chosen channel of a layer with so many. */
  show(channels: number, channel: number | null): void {
    this.channels = channels;
    this.input.max = String(channels - 1);
    this.input.placeholder = `0–${channels - 1}`;
    this.input.value = channel === null ? "" : String(channel);
    this.report(false);
  }

  private changed(): void {
    const { value, validity } = this.input;
    const channel = parseInteger(value);
    const empty = value === "" && !validity.badInput;
    const wrong = !empty && !(channel < this.channels);
    this.report(wrong);
    if (!wrong) this.choose(empty ? null : channel);
  }

  private report(wrong: boolean): void {
    this.input.setAttribute("aria-invalid", String(wrong));
    this.error.hidden = !wrong;
    this.error.textContent = wrong ? `This layer has the channels 0 to ${this.channels - 1}.` : "";
  }
}
