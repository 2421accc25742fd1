// Explanations page: which places of an image the score of a class or a unit comes from, by several methods.

import { takeData } from "../data/data-files";
import { count } from "../data/format";
import type { Manifest } from "../data/manifest";
import { announce, announcementRegion } from "../ui/accessibility";
import { createRadioGroup } from "../ui/controls";
import { el } from "../ui/dom";
import { createPageHeader, showFailure } from "../ui/page";
import { createImage } from "./image";
import { createMethods } from "./methods";
import { createAgreement } from "./neighbors";
import { createOverview } from "./overview";
import { createRegions } from "./regions";
import {
  type Explanations,
  fromHash,
  loadExplanations,
  rowName,
  type Selection,
  subject,
  toHash,
} from "./result";
import { createTests } from "./tests";

class Page {
  private readonly main = el("main", {});
  private readonly layers = createRadioGroup("Layer", (layer) => this.go({ layer, row: null }));
  /** What was shown before; null at the beginning. */
  private before: Selection | null = null;

  constructor(private readonly manifest: Manifest) {
    this.layers.setOptions(
      manifest.explain.map((name) => ({ value: name, label: name === "logits" ? "classes" : name })),
    );
    addEventListener("hashchange", () => this.update());
  }

  start(): void {
    document.body.append(createPageHeader(this.manifest.title), this.main, announcementRegion());
    this.update();
  }

  private get selection(): Selection {
    return fromHash(location.hash, this.manifest.explain);
  }

  private go(selection: Selection): void {
    location.hash = toHash(selection);
  }

  private update(): void {
    this.show().catch(showFailure);
  }

  private async show(): Promise<void> {
    delete document.documentElement.dataset.ready;
    const { selection } = this;
    if (!selection.layer) {
      this.setContent("Explanations", [
        el(
          "p",
          { class: "lead" },
          "This run explains no images. Choose some and run it again, for example ",
          el("code", {}, "atlas run explain.images=8"),
          ".",
        ),
      ]);
      return;
    }
    const found = await loadExplanations(selection.layer);
    if (toHash(selection) !== toHash(this.selection)) return;
    this.layers.choose(selection.layer);
    if (selection.row === null) this.showOverview(found);
    else this.showImage(found, selection.row);
    this.moveFocus(selection);
  }

  private showOverview(found: Explanations): void {
    const { layer, rows, columns, of_classes: classes } = found;
    const score = classes ? "the score of a class" : `the activation of a unit of ${layer}`;
    const images = count(new Set(rows.map(({ image }) => image)).size, "image");
    const what = classes ? count(rows.length, "class", "classes") : count(rows.length, "unit");
    const shown = rows.length > 1 && images !== count(rows.length, "image") ? `${what} in ${images}` : images;
    const methods = count(new Set(columns.map(({ method }) => method)).size, "method");
    const text = `Which places of an image does ${score} come from, in ${this.manifest.network.name}? ${shown}, and heat maps by ${methods}. Methods disagree: the foot of the table says which are better than a guess.`;
    this.setContent(`Explanations of ${subject(layer)}`, [
      el("p", { class: "lead" }, text),
      ...(this.manifest.explain.length > 1 ? [this.layers.element] : []),
      createReading(found),
      createOverview(found),
      createTests(found),
      ...[createRegions(found), createAgreement(found)].filter((one) => one !== null),
      createMethods(found),
    ]);
  }

  private showImage(found: Explanations, index: number): void {
    const row = found.rows[index];
    if (row) {
      this.setContent(`${rowName(row)} in ${row.key}`, createImage(this.manifest, found, row));
      return;
    }
    const link = el("a", { href: toHash({ layer: found.layer, row: null }) }, "All images");
    const text = `The run explains rows 0 to ${found.rows.length - 1} here, not ${index}. `;
    this.setContent(`Explanations of ${subject(found.layer)}`, [
      el("p", { class: "lead", role: "alert" }, text, link),
    ]);
  }

  /** After a change of view: to the chosen layer, to the row that one comes from, or to the heading. */
  private moveFocus(selection: Selection): void {
    const { before } = this;
    this.before = selection;
    if (!before) return;
    const [heading, layer] = ["h1", "input:checked"].map((one) => this.main.querySelector<HTMLElement>(one));
    if (selection.layer !== before.layer) (layer ?? heading)?.focus();
    else if (selection.row !== null) heading?.focus();
    else (this.main.querySelector<HTMLElement>(`tbody a[href="${toHash(before)}"]`) ?? heading)?.focus();
  }

  private setContent(title: string, content: readonly HTMLElement[]): void {
    this.main.replaceChildren(el("h1", { tabindex: -1 }, title), ...content);
    document.title = `${title} · ${this.manifest.title}`;
    scrollTo(0, 0);
    announce(title);
    document.documentElement.dataset.ready = "explain";
  }
}

/** How to read the table. */
function createReading({
  of_classes: classes,
  columns,
  photographs,
  neighbors,
  fooling,
}: Explanations): HTMLElement {
  const what = classes ? "class" : "unit";
  const further = [
    ...(neighbors ? ["its nearest images"] : []),
    ...(fooling ? ["the smallest change to another class"] : []),
  ];
  const signed = columns.some((column) => column.signed);
  const sentences = [
    `Orange places raise the score of the ${what}${signed ? "; blue ones, of methods that have them, lower it" : ""}.`,
    "Each method has one color scale for all images; colors of different methods cannot be compared.",
    `Choose an image for its heat maps in full size${further.length ? `, ${further.join(" and ")}` : ""}.`,
    ...(photographs ? [] : ["The site shows no photographs."]),
  ];
  return el("p", { class: "reading" }, sentences.join(" "));
}

new Page(takeData("manifest") as Manifest).start();
