// The list of cells with several uses, layer by layer, that in sight first.

import { surveyLevel } from "../data/attribution";
import { loadPart, type Packed, unpack } from "../data/data-files";
import { decimal } from "../data/format";
import { type LevelData, loadLevel } from "../data/level";
import { type AtlasEntry, find, type LayerEntry, type Manifest } from "../data/manifest";
import { goTo } from "../map/navigation";
import type { Store } from "../state/state";
import { modal } from "../ui/controls";
import { button, drawing, el } from "../ui/dom";
import { icon } from "../ui/icons";
import { bars } from "./class-bars";

const ABOUT =
  "Each of these icons speaks strongly for two classes that look nothing alike to the network: one feature, " +
  "several uses. Distance is 1 minus the cosine between the classes' mean activations at the last layer.";

export class UsesList {
  private readonly shell = modal("uses");

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly report: (error: unknown) => void,
  ) {
    this.shell.heading.textContent = "Cells with two uses";
  }

  get dialog(): HTMLDialogElement {
    return this.shell.dialog;
  }

  /** The button that opens the list; null where attributions were not recorded. */
  opener(): HTMLElement | null {
    if (!this.manifest.layers.some(({ atlases }) => atlases.some(({ heat }) => heat))) return null;
    const face = drawing(
      "M8 4.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z",
      "M12 4.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11Z",
    );
    return button("Cells with two uses", face, () => this.open());
  }

  open(): void {
    const { dialog, body } = this.shell;
    const { layers } = this.manifest;
    const now = layers.findIndex(({ name }) => name === this.store.state.layer);
    const order = [...layers.slice(now), ...layers.slice(0, now)];
    body.replaceChildren(
      el("p", { class: "fine about" }, ABOUT),
      ...order.map((layer) => this.section(layer)),
    );
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  /** The cells of one layer, as soon as they are known. */
  private section(layer: LayerEntry): HTMLElement {
    const { atlas } = find(this.manifest, layer.name, "all");
    const size = surveyLevel(atlas);
    const waiting = el("div", { class: "waiting" });
    const place = size === null ? null : el("span", { class: "fine" }, `${size} × ${size}`);
    const section = el(
      "section",
      { "aria-label": layer.name },
      el("h3", {}, layer.name, " ", place),
      waiting,
    );
    if (size !== null) this.load(layer, atlas, size).then((list) => waiting.replaceWith(list), this.report);
    else waiting.replaceWith(el("p", { class: "nothing" }, "No class attributions were recorded."));
    return section;
  }

  private async load(layer: LayerEntry, atlas: AtlasEntry, size: number): Promise<HTMLElement> {
    const level = await loadLevel(layer.name, atlas.name, size);
    const uses = await loadUses(level.name);
    const none = "No cell of this layer is strong for two classes that look nothing alike.";
    if (!uses.length) return el("p", { class: "nothing" }, none);
    const rows = uses.map((use) => el("li", {}, this.row(layer, atlas, level, use)));
    return el("ol", { class: "uses-list" }, ...rows);
  }

  private row(layer: LayerEntry, atlas: AtlasEntry, level: LevelData, use: Use): HTMLElement {
    const address = { size: level.size, row: level.row(use.cell), column: level.column(use.cell) };
    const names = use.classes.map(({ id }) => this.manifest.network.classes[id] ?? `class ${id}`);
    const label = `${names.join(" and ")}: row ${address.row + 1}, column ${address.column + 1}`;
    const press = el("button", { type: "button", "aria-label": label });
    press.append(
      icon(layer.name, atlas, address),
      el(
        "span",
        { class: "text" },
        bars(this.manifest.network.classes, use.classes, null, null),
        el("span", { class: "fine" }, `distance ${decimal(use.distance)}`),
      ),
    );
    press.addEventListener("click", () => {
      this.dialog.close();
      goTo(this.store, layer.name, atlas.name, address);
    });
    return press;
  }
}

// Cells that serve several purposes: strong for two classes that look nothing alike.

export interface Use {
  /** The cell, in its level. */
  readonly cell: number;
  /** The two classes, the stronger one first, with the cell's mean attribution, logit. */
  readonly classes: readonly { readonly id: number; readonly value: number }[];
  /** How little the classes look alike, 0..2. */
  readonly distance: number;
}

const COLUMNS = ["cell", "first", "second", "first_value", "second_value", "distance"] as const;
type Content = Readonly<Record<(typeof COLUMNS)[number], Packed>>;

/** The multi-use cells of the level that lies at `<layer>/<atlas>/<size>`, best first. */
export async function loadUses(level: string): Promise<Use[]> {
  const content = await loadPart<Content>(`${level}/uses`);
  const columns = await Promise.all(COLUMNS.map((column) => unpack(content[column])));
  const [cell = [], first = [], second = [], firstValue = [], secondValue = [], distance = []] = columns;
  return Array.from(cell, (number, index) => ({
    cell: number,
    classes: [
      { id: first[index] ?? -1, value: firstValue[index] ?? Number.NaN },
      { id: second[index] ?? -1, value: secondValue[index] ?? Number.NaN },
    ],
    distance: distance[index] ?? Number.NaN,
  }));
}
