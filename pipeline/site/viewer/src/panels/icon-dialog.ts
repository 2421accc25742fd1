// Dialog with the enlarged icon and its provenance.

import { describePosition } from "../data/area";
import { count, decimal } from "../data/format";
import { STYLE_INFOS, styleOf } from "../data/icon-styles";
import type { LevelData } from "../data/level";
import { atlasName, type Manifest, usesPrior } from "../data/manifest";
import { type IconOrigin, loadIconOrigin } from "../data/related-cells";
import { describeVerdict } from "../data/verdict";
import type { Scene } from "../state/scene";
import { createDialog } from "../ui/controls";
import { el } from "../ui/dom";
import { addressOf, createIcon } from "../ui/icons";
import { createCopyableText, provenanceCommand } from "./provenance";

const MAX_SCALE = 5; // relative to the rendered size: beyond that there is no more detail
const MIN_SIZE = 480; // CSS pixels, also for icons rendered at a small size

const PRIOR: [string, string] = [
  "Prior",
  "the feature statistics of the exemplars: colors and textures, not positions",
];

export class IconDialog {
  private readonly dialogParts = createDialog("icon-dialog");

  constructor(
    private readonly manifest: Manifest,
    private readonly reportError: (error: unknown) => void,
  ) {
    document.body.append(this.dialogParts.dialog);
  }

  open(scene: Scene, cell: number, title: string): void {
    const { dialog, heading, body } = this.dialogParts;
    heading.textContent = title;
    body.replaceChildren(this.createLargeIcon(scene, cell), this.createText(scene, cell));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  private createLargeIcon({ layer, atlas, level }: Scene, cell: number): HTMLElement {
    const element = createIcon(layer.name, atlas, addressOf({ level, cell }));
    element.style.maxWidth = `${Math.max(MAX_SCALE * renderedSize(atlas.levels, level.size), MIN_SIZE)}px`;
    return el("div", { class: "large" }, element);
  }

  private createText(scene: Scene, cell: number): HTMLElement {
    const { layer, atlas, level } = scene;
    const { size, row, column } = addressOf({ level, cell });
    const pixels = renderedSize(atlas.levels, size);
    const style = STYLE_INFOS[styleOf(atlas)];
    const { provenance } = this.manifest;
    const facts: [string, string][] = [
      ["Layer", layer.name],
      ["Atlas", atlasName(this.manifest, atlas)],
      ["Grid level", `${size} × ${size}`],
      ["Cell", describePosition({ row, column })],
      ["Samples", count(level.value("count", cell), "sample")],
      [
        "Fidelity",
        `${decimal(level.value("fidelity", cell))}, centered ${decimal(level.value("fidelity_centred", cell))}`,
      ],
      ["Style", `${style.name}: ${style.meaning}`],
      ["Rendered at", `${pixels} × ${pixels} pixels${describeLargeIcon(level, cell)}`],
      ...(usesPrior(this.manifest) ? [PRIOR] : []),
    ];
    const identities: [string, string][] = [
      ...Object.entries(provenance.identities[layer.name]?.[atlas.name] ?? {}),
      ["weights", provenance.network.weights ?? "–"],
    ];
    const known = createList("facts", facts);
    loadIconOrigin(scene, cell).then(
      (origin) => known.append(...createOriginFact(scene, cell, origin)),
      this.reportError,
    );
    return el(
      "div",
      { class: "text" },
      el("p", { class: "verdict" }, describeVerdict(this.manifest.verdict, level, cell)),
      known,
      el("h3", {}, "Digests"),
      el(
        "p",
        { class: "secondary" },
        "SHA-256 digests of the inputs of the icon and of everything they were derived from.",
      ),
      createList("digests", identities),
      el("h3", {}, "Provenance command"),
      createCopyableText(provenanceCommand(layer.name, atlas, { size, row, column })),
    );
  }
}

/** What a large icon is, and its fidelity; empty where the level has none. */
function describeLargeIcon(level: LevelData, cell: number): string {
  if (!level.has("large_fidelity_centred")) return "";
  const fidelity = level.value("large_fidelity_centred", cell);
  if (Number.isNaN(fidelity)) return ", enlarged: no larger rendering succeeded";
  return `: a larger rendering that started from the icon and adds detail; its centered fidelity at the icon's size is ${decimal(fidelity)}`;
}

/** Initialization of the icon; empty if unknown. */
function createOriginFact({ atlas, level }: Scene, cell: number, origin: IconOrigin): HTMLElement[] {
  const coarser = atlas.levels.filter(({ size }) => size < level.size).at(-1)?.size ?? level.size;
  const [row, column] = [level.row(cell), level.column(cell)].map((at) =>
    Math.floor((at * coarser) / level.size),
  );
  const around = `the icon of ${describePosition({ row: row ?? 0, column: column ?? 0 })} of ${coarser}`;
  const words = {
    unknown: null,
    noise: "noise",
    exemplar: "the patch of the nearest exemplar; what remains of the image is not the network's",
    parent: `${around}, which contains the cell`,
    same: `not rendered again: it is ${around}, which contains the same samples`,
  }[origin];
  return words ? [createFact("Initialized from", words)] : [];
}

/** Side of an icon in the tiles, pixels. */
function renderedSize(
  levels: readonly { readonly size: number; readonly width: number }[],
  size: number,
): number {
  const level = levels.find((entry) => entry.size === size);
  return level ? Math.round(level.width / level.size) : 0;
}

function createList(kind: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  return el("dl", { class: kind }, ...rows.map(([name, value]) => createFact(name, value)));
}

function createFact(name: string, value: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", { title: value }, value));
}
