// Dialog with the provenance of the shown atlas: network, artifacts with digests, settings, versions; and the
// provenance command of a cell.

import type { CellAddress } from "../data/area";
import { count } from "../data/format";
import { type AtlasEntry, atlasName, type Manifest, type Provenance } from "../data/manifest";
import type { State } from "../state/state";
import { createDialog } from "../ui/controls";
import { el } from "../ui/dom";

/** The command that traces an icon to its samples, images, settings and code. */
export function provenanceCommand(layer: string, atlas: AtlasEntry, cell: CellAddress): string {
  const { size, row, column } = cell;
  const style = atlas.style ? ` style=${atlas.style}` : "";
  return `atlas provenance layer=${layer} atlas=${atlas.name} level=${size} cell=${row},${column}${style}`;
}

/** Line of text to copy: a click selects it, and a button copies it where the page has access to the clipboard. */
export function createCopyableText(text: string): HTMLElement {
  const line = el("code", { tabindex: "0" }, text);
  const copy = el("button", { type: "button", class: "copy" }, "Copy");
  copy.addEventListener("click", () => {
    getSelection()?.selectAllChildren(line);
    navigator.clipboard?.writeText(text).then(
      () => {
        copy.textContent = "Copied";
      },
      () => undefined, // the text remains selected
    );
  });
  return el("div", { class: "copyable" }, line, copy);
}

export class ProvenanceDialog {
  private readonly dialogParts = createDialog("provenance");

  constructor(private readonly manifest: Manifest) {
    this.dialogParts.heading.textContent = "Provenance of this atlas";
  }

  get dialog(): HTMLDialogElement {
    return this.dialogParts.dialog;
  }

  open({ layer, atlas }: State): void {
    const { dialog, body } = this.dialogParts;
    body.replaceChildren(...this.createContent(layer, atlas));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  private createContent(layer: string, atlas: string): HTMLElement[] {
    const { provenance, network, images } = this.manifest;
    const entry = this.manifest.layers
      .find(({ name }) => name === layer)
      ?.atlases.find(({ name }) => name === atlas);
    const name = entry ? atlasName(this.manifest, entry) : atlas;
    const seed = provenance.settings.seed;
    const facts: [string, string][] = [
      ["Network", network.name],
      ["Architecture", formatValue(provenance.network.architecture)],
      ["Images", count(images, "image")],
      ["Seed", seed === undefined ? "–" : formatValue(seed)],
      ["Version", provenance.versions.join(", ") || this.manifest.version],
    ];
    return [
      el(
        "p",
        { class: "secondary" },
        `${layer} · ${name}. Pin a cell to get the command that lists its images.`,
      ),
      createList("facts", facts),
      el("h3", {}, "Artifacts"),
      el("p", { class: "secondary" }, "Each digest covers the settings and all inputs of the artifact."),
      createList("digests", this.listDigests(provenance, layer, atlas)),
      el("h3", {}, "Settings"),
      ...createSettings(provenance),
    ];
  }

  private listDigests(provenance: Provenance, layer: string, atlas: string): [string, string][] {
    return [
      ["images", provenance.images],
      ["network", provenance.network.identity ?? "–"],
      ["weights", provenance.network.weights ?? "–"],
      ...Object.entries(provenance.identities[layer]?.[atlas] ?? {}),
    ];
  }
}

/** Settings of every stage, then those shared by several. */
function createSettings({ settings }: Provenance): HTMLElement[] {
  const groups = Object.entries(settings).filter(([, values]) => isGroup(values));
  const single = Object.entries(settings).filter(([, values]) => !isGroup(values));
  const shown = groups.map(([name, values]) => createGroup(name, Object.entries(values as object)));
  return [createGroup("run", single), ...shown];
}

function createGroup(name: string, values: readonly (readonly [string, unknown])[]): HTMLElement {
  const list = createList(
    "settings",
    values.map(([key, value]) => [key, formatValue(value)]),
  );
  return el("details", {}, el("summary", {}, name), list);
}

function createList(kind: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  const list = el("dl", { class: kind });
  for (const [name, value] of rows) list.append(el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  return list;
}

function isGroup(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function formatValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
