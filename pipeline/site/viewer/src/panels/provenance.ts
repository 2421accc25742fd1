// How the shown atlas was made: network, artifacts with their identities, settings, versions; and the command that
// tells everything about one cell.

import type { CellAddress } from "../data/area";
import { count } from "../data/format";
import { atlasName, type Made, type Manifest } from "../data/manifest";
import type { State } from "../state/state";
import { modal } from "../ui/controls";
import { el } from "../ui/dom";

/** The command that leads from an icon to its samples, images, settings and code. */
export function provenanceCommand(layer: string, atlas: string, { size, row, column }: CellAddress): string {
  return `atlas provenance layer=${layer} atlas=${atlas} level=${size} cell=${row},${column}`;
}

/** A line of text to be copied whole: it is selected by a click, and copied by the button where a page may do that. */
export function copyable(text: string): HTMLElement {
  const line = el("code", { tabindex: "0" }, text);
  const copy = el("button", { type: "button", class: "copy" }, "Copy");
  copy.addEventListener("click", () => {
    getSelection()?.selectAllChildren(line);
    navigator.clipboard?.writeText(text).then(
      () => {
        copy.textContent = "Copied";
      },
      () => undefined, // the text stays selected
    );
  });
  return el("div", { class: "copyable" }, line, copy);
}

export class MadeSheet {
  private readonly shell = modal("made");

  constructor(private readonly manifest: Manifest) {
    this.shell.heading.textContent = "How this atlas was made";
  }

  get dialog(): HTMLDialogElement {
    return this.shell.dialog;
  }

  open({ layer, atlas }: State): void {
    const { dialog, body } = this.shell;
    body.replaceChildren(...this.content(layer, atlas));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  private content(layer: string, atlas: string): HTMLElement[] {
    const { made, network, images } = this.manifest;
    const entry = this.manifest.layers
      .find(({ name }) => name === layer)
      ?.atlases.find(({ name }) => name === atlas);
    const name = entry ? atlasName(this.manifest, entry) : atlas;
    const seed = made.settings.seed;
    const facts: [string, string][] = [
      ["Network", network.name],
      ["Architecture", plain(made.network.architecture)],
      ["Images", count(images, "image")],
      ["Seed", seed === undefined ? "–" : plain(seed)],
      ["Version", made.versions.join(", ") || this.manifest.version],
    ];
    return [
      el("p", { class: "fine" }, `${layer} · ${name}. Pin a cell for the command that leads to its images.`),
      list("facts", facts),
      el("h3", {}, "Artifacts"),
      el(
        "p",
        { class: "fine" },
        "Each digest follows from the settings and from all that the artifact was made from.",
      ),
      list("digests", this.digests(made, layer, atlas)),
      el("h3", {}, "Settings"),
      ...sections(made),
    ];
  }

  private digests(made: Made, layer: string, atlas: string): [string, string][] {
    return [
      ["images", made.images],
      ["network", made.network.identity ?? "–"],
      ["weights", made.network.weights ?? "–"],
      ...Object.entries(made.identities[layer]?.[atlas] ?? {}),
    ];
  }
}

/** The settings of every stage, then those that several share. */
function sections({ settings }: Made): HTMLElement[] {
  const groups = Object.entries(settings).filter(([, values]) => isGroup(values));
  const single = Object.entries(settings).filter(([, values]) => !isGroup(values));
  const shown = groups.map(([name, values]) => group(name, Object.entries(values as object)));
  return [group("run", single), ...shown];
}

function group(name: string, values: readonly (readonly [string, unknown])[]): HTMLElement {
  const made = list(
    "settings",
    values.map(([key, value]) => [key, plain(value)]),
  );
  return el("details", {}, el("summary", {}, name), made);
}

function list(kind: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  const made = el("dl", { class: kind });
  for (const [name, value] of rows) made.append(el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  return made;
}

function isGroup(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
