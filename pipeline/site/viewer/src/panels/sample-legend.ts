// Legend of the samples drawn as points, below the caption: how many of all, their colors, and filters.

import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import {
  countClasses,
  type Outcome,
  recordedColors,
  type SampleColor,
  type SampleFilter,
  type SampleGroup,
  type SampleSet,
  type SampleView,
  viewSamples,
} from "../data/samples";
import { colorName } from "../map/sample-points";
import type { Scene } from "../state/scene";
import type { Store } from "../state/state";
import { announce } from "../ui/accessibility";
import { createButton, createSvgIcon, el } from "../ui/dom";

const COLOR_NAMES: Readonly<Record<SampleColor, string>> = {
  outcome: "outcome",
  label: "label",
  prediction: "predicted",
};

interface Option {
  readonly value: string;
  readonly text: string;
}

export class SampleLegend {
  readonly element = el("section", { class: "sample-legend", "aria-label": "Samples", hidden: true });
  private readonly summary = el("p", { class: "summary" });
  private readonly groups = el("ul", { class: "groups" });
  private readonly selects: Readonly<Record<keyof SampleFilter, HTMLSelectElement>>;
  private scene: Scene | null = null;
  private offered: SampleSet | null = null; // whose classes the filters offer
  private announced = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
  ) {
    const away = createButton("Show no samples", createSvgIcon("M6 6 14 14", "M14 6 6 14"), () =>
      store.set({ show: "attribution" }),
    );
    const colors = recordedColors(manifest);
    this.selects = {
      color: this.createSelect("color", (value) => (value || null) as SampleColor | null),
      label: this.createSelect("label", (value) => (value ? Number(value) : null)),
      prediction: this.createSelect("prediction", (value) => (value ? Number(value) : null)),
      outcome: this.createSelect("outcome", (value) => (value || null) as Outcome | null),
    };
    const rows = el("div", { class: "filters" });
    const add = (name: string, select: HTMLSelectElement): void => {
      select.setAttribute("aria-label", name);
      rows.append(el("label", {}, el("span", {}, name), select));
    };
    if (colors.length > 1) add("Color by", this.selects.color);
    if (colors.includes("label")) add("Label", this.selects.label);
    if (colors.includes("prediction")) add("Predicted", this.selects.prediction);
    if (colors.includes("outcome")) add("Outcome", this.selects.outcome);
    setOptions(
      this.selects.color,
      colors.map((color) => ({ value: color, text: COLOR_NAMES[color] })),
    );
    setOptions(this.selects.outcome, [
      { value: "", text: "any" },
      { value: "right", text: "right" },
      { value: "wrong", text: "wrong" },
    ]);
    this.element.append(
      el("div", { class: "heading" }, el("h3", {}, "Samples"), away),
      this.summary,
      this.groups,
      ...(colors.length ? [rows] : []),
    );
    store.subscribe((state, before) => {
      if (state.samples !== before.samples) this.update();
    });
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.update();
  }

  private update(): void {
    const { samples } = this.scene ?? {};
    this.element.hidden = !samples;
    if (!samples) {
      this.announced = "";
      return;
    }
    const filter = this.store.state.samples;
    const view = viewSamples(samples, filter, recordedColors(this.manifest));
    const shown = describeShown(view);
    this.summary.textContent = shown;
    this.groups.replaceChildren(
      ...view.groups.filter(isListed).map((group) => createGroup(group, this.groupName(group, view))),
    );
    this.offerClasses(samples, filter);
    this.selects.color.value = view.color ?? "";
    this.selects.outcome.value = filter.outcome ?? "";
    if (shown !== this.announced) announce(`Samples as points: ${shown}`);
    this.announced = shown;
  }

  /** Offer the classes that the points have, by name, and those of the filter. */
  private offerClasses(samples: SampleSet, filter: SampleFilter): void {
    for (const key of ["label", "prediction"] as const) {
      const select = this.selects[key];
      const chosen = filter[key];
      const missing = chosen !== null && ![...select.options].some(({ value }) => value === String(chosen));
      if (samples !== this.offered || missing) {
        const counts = samples[key] ? countClasses(samples[key]) : [];
        if (chosen !== null && !counts.some(({ id }) => id === chosen)) counts.push({ id: chosen, count: 0 });
        const options = counts.map(({ id, count: points }) => ({
          value: String(id),
          text: `${this.className(id)} (${points.toLocaleString("en-US")})`,
        }));
        options.sort((one, other) => one.text.localeCompare(other.text, "en-US"));
        setOptions(select, [{ value: "", text: "any" }, ...options]);
      }
      select.value = chosen === null ? "" : String(chosen);
    }
    this.offered = samples;
  }

  private createSelect<Key extends keyof SampleFilter>(
    key: Key,
    parse: (value: string) => SampleFilter[Key],
  ): HTMLSelectElement {
    const select = el("select", {});
    select.addEventListener("change", () => {
      const value = key === "color" && select.selectedIndex === 0 ? "" : select.value; // the first one is the default
      this.store.set({ samples: { ...this.store.state.samples, [key]: parse(value) } });
    });
    return select;
  }

  private groupName({ of }: SampleGroup, { color }: SampleView): string {
    if (typeof of === "number") return this.className(of);
    if (of === "other") return color === "label" ? "other labels" : "other classes";
    if (of === "none") return "label unknown";
    return of === "all" ? "samples" : of;
  }

  private className(id: number): string {
    return this.manifest.network.classes[id] ?? `class ${id}`;
  }
}

function describeShown({ points, set }: SampleView): string {
  const { count: there, all } = set;
  const number = (value: number): string => value.toLocaleString("en-US");
  const choice = there < all ? `${number(there)} of ${count(all, "sample")}` : count(all, "sample");
  return points.length < there ? `${number(points.length)} shown, from ${choice}` : choice;
}

/** Groups without a shown point are listed unless they are the rest. */
function isListed({ hue, count: points }: SampleGroup): boolean {
  return typeof hue === "number" || points > 0;
}

function createGroup(group: SampleGroup, name: string): HTMLElement {
  const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = `var(${colorName(group)})`;
  return el(
    "li",
    {},
    swatch,
    el("span", { class: "name", title: name }, name),
    el("span", { class: "value" }, group.count.toLocaleString("en-US")),
  );
}

function setOptions(select: HTMLSelectElement, options: readonly Option[]): void {
  select.replaceChildren(...options.map(({ value, text }) => el("option", { value }, text)));
}
