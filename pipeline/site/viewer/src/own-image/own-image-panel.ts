// Panel of the user's image: the image with its positions, its top classes, and the cells that its positions fall in.

import { createClassBars } from "../classes/class-bars";
import { describePosition } from "../data/area";
import { cellClassName } from "../data/cell-names";
import { count, decimal, share } from "../data/format";
import { type FoundCell, type LocatedImage, ownSimilarity } from "../data/located-image";
import type { Manifest } from "../data/manifest";
import { isRecorded } from "../data/recorded";
import type { Scene } from "../state/scene";
import { announce } from "../ui/accessibility";
import { createSection } from "../ui/controls";
import { createButton, createCloseButton, createSvgIcon, el } from "../ui/dom";
import { addressOf, createIcon } from "../ui/icons";
import { PositionGrid } from "./position-grid";

const MOST_CELLS = 40; // that the list shows
const PROMPT = "Point at a position, or at a marked cell of the map.";
const MEANING =
  "Similarity is the cosine between the activation at a position and the mean activation of its cell, after the mean " +
  "of the whole layer is subtracted from both: 1 in the same direction, 0 nothing in common. Each position is put in " +
  "the cell with the largest one, however small it is.";

export interface PanelActions {
  close(): void;
  /** Choose another image. */
  again(): void;
  /** Mark a cell on the map, or none (-1); `reveal` moves it into view. */
  mark(cell: number, reveal: boolean): void;
  pin(cell: number): void;
  choose(classId: number, add: boolean): void;
}

export class OwnImagePanel {
  readonly element = el("section", { class: "panel own-image", "aria-label": "Your image", tabindex: "-1" });
  private grid: PositionGrid | null = null;
  private list: HTMLElement | null = null;
  private shown: { readonly scene: Scene; readonly image: LocatedImage } | null = null;
  private readonly pointedText = el("p", { class: "secondary pointed" }, PROMPT);

  constructor(
    private readonly manifest: Manifest,
    private readonly actions: PanelActions,
  ) {}

  /** Say that the network is running; what is shown of an earlier answer stays until the next. */
  showBusy(name: string): void {
    this.element.setAttribute("aria-busy", "true");
    if (this.grid) return;
    this.element.replaceChildren(
      this.createHeader(name, "Running the network. The first image takes longer: the network is loaded."),
      el("div", { class: "section loading" }),
    );
  }

  showFailure(name: string, line: string): void {
    this.end();
    this.element.replaceChildren(
      this.createHeader(name, ""),
      el("p", { class: "section failed", role: "alert" }, line),
    );
  }

  show(name: string, scene: Scene, image: LocatedImage): void {
    const scrolled = this.element.scrollTop;
    const hadFocus = this.grid?.element === document.activeElement;
    this.end();
    this.shown = { scene, image };
    const { classes } = this.manifest.network;
    const found = `${count(image.positions, "position")} in ${count(image.cells.length, "cell")} of ${scene.layer.name}`;
    this.grid = new PositionGrid(image, {
      point: (position, byKey) => this.point(scene, image, position, byKey),
      choose: (position) => this.actions.pin(image.cellAt(position)),
    });
    this.list = this.createList(scene, image);
    this.pointedText.textContent = PROMPT;
    const choose = isRecorded(this.manifest, "attributions") ? this.actions.choose : null;
    this.element.replaceChildren(
      this.createHeader(name, found),
      el("div", { class: "section" }, this.grid.element, this.pointedText),
      createSection("Similarity to the cells", ...createSimilarity(scene, image)),
      ...(image.classes
        ? [
            createSection(
              "Top classes (probability)",
              createClassBars(classes, image.classes, scene.heatmap?.classId ?? null, choose, [], share),
            ),
          ]
        : []),
      createSection("Cells", this.list, ...createRest(image)),
    );
    this.element.scrollTop = scrolled;
    if (hadFocus) this.grid.element.focus({ preventScroll: true });
  }

  /** Mark a cell of the map in the image and the list; -1 for none. */
  mark(cell: number): void {
    this.grid?.mark(cell);
    for (const button of this.list?.querySelectorAll<HTMLElement>("[data-cell]") ?? [])
      button.toggleAttribute("data-marked", button.dataset.cell === String(cell));
    if (!this.grid?.isPointedAt) this.pointedText.textContent = this.describe(cell);
  }

  private end(): void {
    this.element.removeAttribute("aria-busy");
    this.grid = null;
    this.list = null;
    this.shown = null;
  }

  /** What falls in a cell of the map; for no cell what one can do. */
  private describe(cell: number): string {
    if (!this.shown || cell < 0) return PROMPT;
    const { scene, image } = this.shown;
    const name = nameOfCell(this.manifest, scene, cell);
    const found = image.cells.find((entry) => entry.cell === cell);
    if (!found) return `No position falls in ${name}.`;
    return `${count(found.positions.length, "position")} in ${name}, similarity up to ${decimal(found.best)}`;
  }

  private point(scene: Scene, image: LocatedImage, position: number, byKey: boolean): void {
    const cell = image.cellAt(position);
    this.actions.mark(cell, byKey);
    if (position < 0) return;
    const name = nameOfCell(this.manifest, scene, cell);
    const text = `Position ${describePosition(image.placeOf(position))}: ${name}, similarity ${decimal(image.similarityOf(position))}`;
    this.pointedText.textContent = text;
    if (byKey) announce(text);
  }

  private createList(scene: Scene, image: LocatedImage): HTMLElement {
    const list = el("ul", { class: "found-cells" });
    for (const found of image.cells.slice(0, MOST_CELLS)) list.append(this.createRow(scene, found));
    return list;
  }

  private createRow(scene: Scene, { cell, positions, best }: FoundCell): HTMLElement {
    const { layer, atlas, level } = scene;
    const address = addressOf({ level, cell });
    const className = cellClassName(level, cell, this.manifest.network.classes);
    const button = el(
      "button",
      {
        type: "button",
        "data-cell": cell,
        "data-at": `${address.row}.${address.column}`,
        title: "Pin this cell",
      },
      createIcon(layer.name, atlas, address),
      el(
        "span",
        { class: "text" },
        el("span", { class: "name" }, className || describePosition(address)),
        el(
          "span",
          { class: "secondary" },
          `${className ? `${describePosition(address)} · ` : ""}up to ${decimal(best)}`,
        ),
      ),
      el("span", { class: "count" }, count(positions.length, "position")),
    );
    button.addEventListener("click", () => this.actions.pin(cell));
    button.addEventListener("pointerenter", () => this.actions.mark(cell, false));
    button.addEventListener("pointerleave", () => this.actions.mark(-1, false));
    button.addEventListener("focus", () => this.actions.mark(cell, button.matches(":focus-visible")));
    button.addEventListener("blur", () => this.actions.mark(-1, false));
    return el("li", {}, button);
  }

  private createHeader(name: string, text: string): HTMLElement {
    const picture = createPictureIcon();
    return el(
      "header",
      {},
      createCloseButton("Close panel", this.actions.close, "icon-button close"),
      createButton("Try another image", picture, this.actions.again, "icon-button again"),
      el("h2", {}, "Your image"),
      el("p", { class: "secondary file" }, name),
      el("p", { class: "secondary" }, text),
    );
  }
}

/** Icon of the control: a picture with a plus. */
export function createPictureIcon(): SVGSVGElement {
  return createSvgIcon(
    "M16.5 10.5v4a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2h4",
    "M3.8 14.2 7.4 10.6l5 5.6",
    "M14.8 2.8v5.4",
    "M12.1 5.5h5.4",
  );
}

function nameOfCell(manifest: Manifest, { level }: Scene, cell: number): string {
  const className = cellClassName(level, cell, manifest.network.classes);
  const place = `cell ${describePosition(addressOf({ level, cell }))}`;
  return className ? `${place} (${className})` : place;
}

/** The image's mean similarity beside that of the atlas's own samples, and what it means. */
function createSimilarity({ level }: Scene, image: LocatedImage): HTMLElement[] {
  const rows = [
    ["Your image", image.meanSimilarity],
    ["The atlas’s own samples", ownSimilarity(level)],
  ] as const;
  const bars = rows.map(([name, value]) => {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${100 * Math.min(Math.max(value, 0), 1)}%`;
    return el(
      "li",
      {},
      el("span", { class: "name" }, name),
      el("span", { class: "value" }, decimal(value)),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
    );
  });
  return [
    el("ol", { class: "bars similarity" }, ...bars),
    el(
      "details",
      { class: "explanation" },
      el("summary", {}, "What it means"),
      el("p", { class: "meanings" }, MEANING),
    ),
  ];
}

function createRest({ cells }: LocatedImage): HTMLElement[] {
  const rest = cells.slice(MOST_CELLS);
  const positions = rest.reduce((sum, found) => sum + found.positions.length, 0);
  if (!rest.length) return [];
  return [
    el(
      "p",
      { class: "secondary" },
      `and ${count(rest.length, "cell")} more with ${count(positions, "position")}`,
    ),
  ];
}
