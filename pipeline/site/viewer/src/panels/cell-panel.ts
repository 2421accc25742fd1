// Panel of the pinned cell.

import { createClassBars, createComparisonBars, sidesOf } from "../classes/class-bars";
import { describePosition } from "../data/area";
import { cellClassName } from "../data/cell-names";
import { describeDensity } from "../data/density";
import { loadExemplars } from "../data/exemplars";
import { count, decimal } from "../data/format";
import { styleOf } from "../data/icon-styles";
import { baselineOf, type Manifest } from "../data/manifest";
import { isRecorded, notRecorded } from "../data/recorded";
import type { Scene } from "../state/scene";
import { createSection } from "../ui/controls";
import { createButton, createCloseButton, createSvgIcon, el } from "../ui/dom";
import { createIcon } from "../ui/icons";
import { classesOf } from "./cell-description";
import { cellSections } from "./cell-sections";
import { createExemplarPatches } from "./exemplar-patches";
import { IconDialog } from "./icon-dialog";
import { createIconQuality } from "./icon-quality";
import type { FollowCell, PinFollower } from "./other-layers";
import { createStrongestChannels, markShownChannel } from "./strongest-channels";

export interface PanelActions {
  close(): void;
  choose(classId: number, add: boolean): void;
  /** Show a channel on the map, or no longer. */
  showChannel(channel: number): void;
  /** Controls that add a cell to the palette; null where there is none. */
  createPaletteOffer(scene: Scene, cell: number): HTMLElement | null;
  /** Go to a cell of another layer. */
  readonly follow: FollowCell;
  reportError(error: unknown): void;
}

export class CellPanel {
  readonly element = el("section", {
    class: "panel",
    "aria-label": "Pinned cell",
    hidden: true,
    tabindex: "-1",
  });
  private readonly iconDialog: IconDialog;
  private currentKey = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly pinFollower: PinFollower,
    private readonly actions: PanelActions,
  ) {
    this.iconDialog = new IconDialog(manifest, actions.reportError);
  }

  hide(): void {
    this.currentKey = "";
    this.element.hidden = true;
  }

  /** Show a cell of the scene's level. */
  show(scene: Scene, cell: number): void {
    const { density } = scene;
    const position = `${scene.level.name}/${cell}`;
    const name = `${position}/${density?.of === "second"}/${styleOf(scene.atlas)}`;
    const same = name === this.currentKey;
    const scrolled = this.currentKey.startsWith(`${position}/`) ? this.element.scrollTop : 0;
    this.currentKey = name;
    this.element.hidden = false;
    const line = density && el("p", { class: "density" }, describeDensity(density, scene.level.size, cell));
    const classes = isRecorded(this.manifest, "attributions")
      ? createSection(
          "Top classes (mean attribution)",
          this.createClasses(scene, cell),
          ...this.describeNaming(scene, cell),
          ...(line ? [line] : []),
        )
      : el(
          "div",
          { class: "section" },
          el("p", { class: "empty" }, notRecorded("Class attributions were", "attributions")),
          line,
        );
    classes.classList.add("classes");
    if (same) {
      this.element.querySelector(".section.classes")?.replaceWith(classes);
      markShownChannel(this.element, scene);
      return;
    }
    const exemplarList = el("div", { class: "exemplars" });
    this.element.replaceChildren(
      this.createHeader(scene, cell),
      this.actions.createPaletteOffer(scene, cell) ?? "",
      this.pinFollower.createSection(scene, cell, this.actions.follow) ?? "",
      classes,
      this.manifest.exemplars ? createSection("Example patches", exemplarList) : "",
      createSection("Quality of the icon", ...createIconQuality(this.manifest.verdict, scene, cell)),
      createStrongestChannels(scene, cell, this.manifest.units[scene.layer.name] ?? [], this.actions),
      ...cellSections(this.manifest, scene, cell, this.actions),
    );
    this.element.scrollTop = scrolled;
    loadExemplars(this.manifest, scene.layer, scene.level, cell).then((exemplars) => {
      if (name === this.currentKey)
        exemplarList.replaceChildren(...createExemplarPatches(this.manifest, scene.layer, exemplars));
    }, this.actions.reportError);
  }

  private createClasses(scene: Scene, cell: number): HTMLElement {
    const selectedClass = scene.heatmap?.classId ?? null;
    const names = this.manifest.network.classes;
    const sides = sidesOf(scene, cell);
    const { highlights } = scene;
    if (!sides)
      return createClassBars(names, classesOf(scene, cell), selectedClass, this.actions.choose, highlights);
    const otherClasses = classesOf(scene, cell).filter(({ id }) => !scene.atlas.classes.includes(id));
    const others = otherClasses.length
      ? createClassBars(names, otherClasses, selectedClass, this.actions.choose, highlights)
      : null;
    return el("div", {}, createComparisonBars(names, sides), others);
  }

  /** What attributions compare with, why no single class names the cell, and the label its images have most often. */
  private describeNaming({ level }: Scene, cell: number): HTMLElement[] {
    const { classes } = this.manifest.network;
    const [baseline, label] = [baselineOf(this.manifest), level.overRepresented(cell)];
    const sentences = baseline === null ? [] : [`Attribution compares with ${baseline}.`];
    const least = this.manifest.verdict.attribution;
    const candidates = level.candidates(cell).length;
    if (!candidates) sentences.push(`No class adds ${least} logit or more, so none names the cell.`);
    else if (candidates > 1) sentences.push("Resampled images do not tell the first classes apart.");
    else if (!level.isNamed(cell)) sentences.push("Resampled images do not tell the first class from none.");
    if (label) {
      const name = classes[label.id] ?? `class ${label.id}`;
      sentences.push(
        `Most over-represented label: ${name}, ${decimal(label.lift)} times its share of all samples.`,
      );
    }
    return sentences.length ? [el("p", { class: "secondary naming" }, sentences.join(" "))] : [];
  }

  private createHeader(scene: Scene, cell: number): HTMLElement {
    const { level, layer, atlas } = scene;
    const [row, column] = [level.row(cell), level.column(cell)];
    const samples = level.value("count", cell);
    const found = cellClassName(level, cell, this.manifest.network.classes);
    const place = describePosition({ row, column });
    const title = found || (level.hasAttributions ? "No class" : place.replace("row", "Row"));
    return el(
      "header",
      {},
      createCloseButton("Close panel", this.actions.close, "icon-button close"),
      this.createEnlargeButton(
        createIcon(layer.name, atlas, { size: level.size, row, column }),
        scene,
        cell,
        title,
      ),
      el("h2", {}, title),
      el(
        "p",
        { class: "secondary", title: "Rows and columns count from 0." },
        `${count(samples, "sample")} · ${place} of ${level.size}`,
      ),
    );
  }

  /** The icon as a button that opens the icon dialog. */
  private createEnlargeButton(content: HTMLElement, scene: Scene, cell: number, title: string): HTMLElement {
    const name = "Enlarge the icon and show its provenance";
    const button = createButton(name, content, () => this.iconDialog.open(scene, cell, title), "enlarge");
    button.append(createSvgIcon("M11.5 4H16v4.5", "M16 4l-5 5", "M8.5 16H4v-4.5", "M4 16l5-5"));
    return button;
  }
}
