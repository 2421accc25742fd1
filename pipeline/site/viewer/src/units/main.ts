// Units page: what single channels of a layer look for.

import { takeData } from "../data/data-files";
import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import { announce, announcementRegion } from "../ui/accessibility";
import { createRadioGroup } from "../ui/controls";
import { el } from "../ui/dom";
import { createPageHeader, showFailure } from "../ui/page";
import { createComparisonSheet, createSheetLinks, SHEETS } from "./comparison-sheet";
import { createContactSheet } from "./contact-sheet";
import { createFilters } from "./filters";
import { fromHash, type LayerUnits, loadUnits, type Selection, toHash, unitName } from "./result";
import { createUnit } from "./unit";

class Page {
  private readonly main = el("main", {});
  private readonly layers = createRadioGroup("Layer", (layer) => this.go({ layer, unit: null, sheet: null }));

  private readonly names: readonly string[];

  constructor(private readonly manifest: Manifest) {
    this.names = Object.keys(manifest.units);
    this.layers.setOptions(this.names.map((name) => ({ value: name, label: name })));
    addEventListener("hashchange", () => this.update());
  }

  start(): void {
    document.body.append(createPageHeader(this.manifest.title), this.main, announcementRegion());
    this.update();
  }

  private get selection(): Selection {
    return fromHash(location.hash, this.names);
  }

  private go(change: Partial<Selection>): void {
    location.hash = toHash({ ...this.selection, ...change });
  }

  private update(): void {
    this.show().catch(showFailure);
  }

  private async show(): Promise<void> {
    delete document.documentElement.dataset.ready;
    const { selection } = this;
    if (!selection.layer) {
      this.setContent("Units", [
        el(
          "p",
          { class: "lead" },
          "This run describes no units. Name some and run it again, for example ",
          el("code", {}, `atlas run '+units.channels={${this.manifest.initial_layer}: 24}'`),
          ".",
        ),
      ]);
      return;
    }
    const found = await loadUnits(selection.layer);
    if (toHash(selection) !== toHash(this.selection)) return;
    this.layers.choose(selection.layer);
    if (selection.unit !== null) this.showUnit(found, selection, selection.unit);
    else if (selection.sheet !== null) this.showComparison(found, selection, selection.sheet);
    else this.showSheet(found, selection);
  }

  private showSheet(found: LayerUnits, selection: Selection): void {
    const { network } = this.manifest;
    const classes = found.units.some(({ name }) => name !== null);
    const units = classes ? count(found.units.length, "class", "classes") : count(found.units.length, "unit");
    const all = classes ? found.channels.toLocaleString("en-US") : count(found.channels, "channel");
    const text = `${units} of the ${all} of ${found.layer} in ${network.name}. Each image is optimized to activate one unit; it is a guess at what the unit responds to, to be compared with its examples.`;
    const layers = this.names.length > 1 ? [this.layers.element] : [];
    const sheet = createContactSheet(found, selection, (sort) => this.go({ sort }));
    const links = createSheetLinks(found, selection);
    this.setContent(`Units of ${found.layer}`, [
      el("p", { class: "lead" }, text),
      ...layers,
      ...sheet,
      ...(links ? [links] : []),
      ...createFilters(found),
    ]);
  }

  private showComparison(found: LayerUnits, selection: Selection, name: string): void {
    const sheet = found.sheets.find((one) => one.name === name);
    if (sheet) {
      const title = `${SHEETS[sheet.name].title}: ${found.layer}`;
      this.setContent(title, createComparisonSheet(found, sheet, selection));
      return;
    }
    const link = el("a", { href: toHash({ ...selection, sheet: null }) }, `All units of ${found.layer}`);
    const text = `The run has no comparison sheet “${name}”. `;
    this.setContent(`Units of ${found.layer}`, [el("p", { class: "lead", role: "alert" }, text, link)]);
  }

  private showUnit(found: LayerUnits, selection: Selection, channel: number): void {
    const unit = found.units.find((one) => one.channel === channel);
    const title = `${unitName(unit ?? { channel, name: null })} of ${found.layer}`;
    if (unit) {
      this.setContent(title, createUnit(this.manifest, found, unit, selection));
      return;
    }
    const text =
      channel < found.channels
        ? "The run does not describe this unit."
        : `${found.layer} has channels 0 to ${found.channels - 1}.`;
    const link = el("a", { href: toHash({ ...selection, unit: null }) }, `All units of ${found.layer}`);
    this.setContent(title, [el("p", { class: "lead", role: "alert" }, `${text} `, link)]);
  }

  private setContent(title: string, content: readonly HTMLElement[]): void {
    this.main.replaceChildren(el("h1", {}, title), ...content);
    document.title = `${title} · ${this.manifest.title}`;
    scrollTo(0, 0);
    announce(title);
    document.documentElement.dataset.ready = "units";
  }
}

new Page(takeData("manifest") as Manifest).start();
