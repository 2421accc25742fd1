// Dialog of one class: its cells with the largest and the smallest attribution at every layer, and its atlases.

import { describePosition } from "../data/area";
import { loadStrongestCells, type Ranked, type StrongestCells } from "../data/attribution";
import { count, signed } from "../data/format";
import {
  atlasDescription,
  atlasesOf,
  atlasName,
  find,
  type LayerEntry,
  type Manifest,
} from "../data/manifest";
import { goToCell, openAtlas } from "../map/navigation";
import type { Store } from "../state/state";
import { createDialog } from "../ui/controls";
import { el } from "../ui/dom";
import { createAtlasPreview, createIcon } from "../ui/icons";

const MAX_STRONGEST = 12;
const MAX_WEAKEST = 6;

export class ClassDialog {
  private readonly dialogParts = createDialog("class-dialog");
  private currentClass = -1;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly reportError: (error: unknown) => void,
  ) {}

  get dialog(): HTMLDialogElement {
    return this.dialogParts.dialog;
  }

  open(classId: number): void {
    const { dialog, heading, body } = this.dialogParts;
    this.currentClass = classId;
    heading.textContent = this.manifest.network.classes[classId] ?? "";
    body.replaceChildren(...this.createColumns(classId), ...this.createAtlasRows(classId));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  private createColumns(classId: number): HTMLElement[] {
    const about =
      "The cells with the largest and the smallest mean attribution to the class at each layer, in logits.";
    const row = el("div", { class: "layers-row" });
    for (const layer of this.manifest.layers) {
      const column = el("section", { class: "column", "aria-label": layer.name });
      column.append(el("h3", {}, layer.name), el("div", { class: "loading" }));
      row.append(column);
      loadStrongestCells(
        layer,
        find(this.manifest, layer.name, "all", this.store.state.style).atlas,
        classId,
        MAX_STRONGEST,
        MAX_WEAKEST,
      ).then((strongest) => {
        if (classId === this.currentClass)
          column.lastElementChild?.replaceWith(...this.createCells(strongest, classId));
      }, this.reportError);
    }
    return [el("p", { class: "secondary" }, about), row];
  }

  private createCells(strongest: StrongestCells | null, classId: number): HTMLElement[] {
    if (!strongest) return [el("p", { class: "empty" }, "All attributions of this layer are exactly zero.")];
    const { level } = strongest;
    const entry = strongest.atlas.levels.find(({ size }) => size === level.size);
    const from = `of ${count(entry?.drawn ?? 0, "icon")} on ${level.size} × ${level.size}`;
    const parts: HTMLElement[] = [
      el("p", { class: "secondary" }, from),
      el("h4", { class: "positive" }, "Largest attribution"),
    ];
    parts.push(this.createIcons(strongest, strongest.most, classId, "most"));
    if (strongest.least.length)
      parts.push(
        el("h4", { class: "negative" }, "Most negative attribution"),
        this.createIcons(strongest, strongest.least, classId, "least"),
      );
    return parts;
  }

  private createIcons(
    strongest: StrongestCells,
    ranked: readonly Ranked[],
    classId: number,
    name: string,
  ): HTMLElement {
    if (!ranked.length) return el("p", { class: "empty" }, "No cell has a positive attribution.");
    const { layer, atlas, level } = strongest;
    const list = el("ol", { class: `icons ${name}` });
    for (const { cell, value } of ranked) {
      const address = { size: level.size, row: level.row(cell), column: level.column(cell) };
      const label = `${layer.name}, ${describePosition(address)}: ${signed(value)}`;
      const press = el("button", { type: "button", title: label, "aria-label": label });
      press.append(createIcon(layer.name, atlas, address), el("span", { class: "value" }, signed(value)));
      press.addEventListener("click", () => {
        this.dialog.close();
        goToCell(this.store, layer.name, atlas.name, address, { classId, sign: value < 0 ? -1 : 1 });
      });
      list.append(el("li", {}, press));
    }
    return list;
  }

  /** One row per atlas of the class, with its preview at every layer. */
  private createAtlasRows(classId: number): HTMLElement[] {
    return atlasesOf(this.manifest, classId).flatMap(({ name }) => {
      const row = el("div", { class: "layers-row" });
      for (const layer of this.manifest.layers) row.append(this.createAtlasButton(layer, name));
      const { atlas } = find(this.manifest, "", name);
      const title = atlas.kind === "class" ? `Atlas of ${atlasName(this.manifest, atlas)}` : null;
      return [el("h3", { class: "row-title" }, title ?? atlasName(this.manifest, atlas)), row];
    });
  }

  private createAtlasButton(layer: LayerEntry, name: string): HTMLElement {
    const { atlas } = find(this.manifest, layer.name, name, this.store.state.style);
    const label = `${atlasDescription(this.manifest, atlas)} at ${layer.name}`;
    const press = el("button", { type: "button", class: "atlas", title: label, "aria-label": label });
    press.append(createAtlasPreview(layer.name, atlas), el("span", { class: "secondary" }, layer.name));
    press.addEventListener("click", () => {
      this.dialog.close();
      openAtlas(this.manifest, this.store, name, layer.name, { classId: null, sign: 1, intensity: 1 });
    });
    return press;
  }
}
