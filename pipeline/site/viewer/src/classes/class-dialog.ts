// One class at every layer, side by side: the cells that speak most for it and against it, and its own atlases.

import { loadStrongest, type Ranked, type Strongest } from "../data/attribution";
import { count, signed } from "../data/format";
import { atlasesOf, atlasName, find, holding, type LayerEntry, type Manifest } from "../data/manifest";
import { goTo, openAtlas } from "../map/navigation";
import type { Store } from "../state/state";
import { modal } from "../ui/controls";
import { el } from "../ui/dom";
import { icon, miniature } from "../ui/icons";

const MOST = 12;
const LEAST = 6;

export class ClassSheet {
  private readonly shell = modal("class-sheet");
  private shown = -1;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly report: (error: unknown) => void,
  ) {}

  get dialog(): HTMLDialogElement {
    return this.shell.dialog;
  }

  open(classId: number): void {
    const { dialog, heading, body } = this.shell;
    this.shown = classId;
    heading.textContent = this.manifest.network.classes[classId] ?? "";
    body.replaceChildren(...this.columns(classId), ...this.atlases(classId));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  private columns(classId: number): HTMLElement[] {
    const about =
      "The cells that speak most for the class and most against it at each layer, by their mean attribution in logits.";
    const row = el("div", { class: "layers-row" });
    for (const layer of this.manifest.layers) {
      const column = el("section", { class: "column", "aria-label": layer.name });
      column.append(el("h3", {}, layer.name), el("div", { class: "waiting" }));
      row.append(column);
      loadStrongest(layer, find(this.manifest, layer.name, "all").atlas, classId, MOST, LEAST).then(
        (found) => {
          if (classId === this.shown) column.lastElementChild?.replaceWith(...this.cells(found, classId));
        },
        this.report,
      );
    }
    return [el("p", { class: "fine" }, about), row];
  }

  private cells(found: Strongest | null, classId: number): HTMLElement[] {
    if (!found) return [el("p", { class: "nothing" }, "No class attributions were recorded.")];
    const { level } = found;
    const entry = found.atlas.levels.find(({ size }) => size === level.size);
    const from = `of ${count(entry?.drawn ?? 0, "icon")} on ${level.size} × ${level.size}`;
    const parts: HTMLElement[] = [
      el("p", { class: "fine" }, from),
      el("h4", { class: "for" }, "Most for it"),
    ];
    parts.push(this.icons(found, found.most, classId, "most"));
    if (found.least.length)
      parts.push(
        el("h4", { class: "against" }, "Most against it"),
        this.icons(found, found.least, classId, "least"),
      );
    return parts;
  }

  private icons(found: Strongest, ranked: readonly Ranked[], classId: number, name: string): HTMLElement {
    if (!ranked.length) return el("p", { class: "nothing" }, "No cell speaks for it.");
    const { layer, atlas, level } = found;
    const list = el("ol", { class: `icons ${name}` });
    for (const { cell, value } of ranked) {
      const address = { size: level.size, row: level.row(cell), column: level.column(cell) };
      const place = `${layer.name}, row ${address.row + 1}, column ${address.column + 1}: ${signed(value)}`;
      const press = el("button", { type: "button", title: place, "aria-label": place });
      press.append(icon(layer.name, atlas, address), el("span", { class: "value" }, signed(value)));
      press.addEventListener("click", () => {
        this.dialog.close();
        goTo(this.store, layer.name, atlas.name, address, { classId, sign: value < 0 ? -1 : 1 });
      });
      list.append(el("li", {}, press));
    }
    return list;
  }

  /** A row for each atlas that the class has a part in, with its picture at every layer. */
  private atlases(classId: number): HTMLElement[] {
    return atlasesOf(this.manifest, classId).flatMap(({ name }) => {
      const row = el("div", { class: "layers-row" });
      for (const layer of this.manifest.layers) row.append(this.atlas(layer, name));
      const { atlas } = find(this.manifest, "", name);
      const title = atlas.kind === "class" ? `The atlas of ${atlasName(this.manifest, atlas)}` : null;
      return [el("h3", { class: "row-title" }, title ?? atlasName(this.manifest, atlas)), row];
    });
  }

  private atlas(layer: LayerEntry, name: string): HTMLElement {
    const { atlas } = find(this.manifest, layer.name, name);
    const label = `${holding(this.manifest, atlas)} at ${layer.name}`;
    const press = el("button", { type: "button", class: "atlas", title: label, "aria-label": label });
    press.append(miniature(layer.name, atlas), el("span", { class: "fine" }, layer.name));
    press.addEventListener("click", () => {
      this.dialog.close();
      openAtlas(this.manifest, this.store, name, layer.name, { classId: null, sign: 1, intensity: 1 });
    });
    return press;
  }
}
