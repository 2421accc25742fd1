// The state as the part of the address after `#`, and back.

import { Area, type CellAddress } from "../data/area";
import type { Show } from "../data/density";
import { parseInteger } from "../data/format";
import { type AtlasEntry, find, type Manifest } from "../data/manifest";
import { parseMeasure } from "../data/measures";
import { decodeArea, encodeArea } from "./area-code";
import { selectionFromHash, selectionToHash } from "./class-selection";
import { splitFromHash, splitToHash } from "./split-view";
import type { State, Store, View } from "./state";

/** The state as text; what is as it was at the start is left out, except the layer. */
export function toHash(state: State): string {
  const parts = new URLSearchParams({ layer: state.layer });
  if (state.atlas !== "all") parts.set("atlas", state.atlas);
  if (state.level !== null) parts.set("level", String(state.level));
  if (state.classId !== null) parts.set("class", String(state.classId));
  for (const [name, value] of [...selectionToHash(state), ...overlaysToHash(state)]) parts.set(name, value);
  if (state.sign < 0) parts.set("sign", "-");
  if (state.intensity !== 1) parts.set("intensity", String(state.intensity));
  if (state.show !== "attribution") parts.set("show", state.show);
  if (state.pin) parts.set("pin", `${state.pin.size}.${state.pin.row}.${state.pin.column}`);
  const { selection, view } = state;
  const code = selection && encodeArea(selection);
  if (code) parts.set(code.name, code.text);
  if (view) parts.set("view", [view.x, view.y, view.span].map((value) => value.toFixed(4)).join(","));
  if (state.split) parts.set("beside", splitToHash(state.split));
  if (state.tour !== null) parts.set("tour", String(state.tour));
  return `#${parts.toString().replaceAll("%2C", ",").replaceAll("%7E", "~")}`;
}

/** The state that a text asks for; whatever this atlas does not have falls back to the start. */
export function fromHash(hash: string, manifest: Manifest): State {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const { layer, atlas } = find(manifest, parts.get("layer") ?? "", parts.get("atlas") ?? "all");
  const level = parseInteger(parts.get("level"));
  const requested = parseInteger(parts.get("class"));
  const { classes } = manifest.network;
  const classId = classes[requested] !== undefined && atlas.heat ? requested : null;
  const choice = selectionFromHash(parts, classId, classes);
  const pin = parsePin(parts.get("pin"), atlas.levels);
  return {
    layer: layer.name,
    atlas: atlas.name,
    level: atlas.levels.some(({ size }) => size === level) ? level : null,
    ...choice,
    sign: parts.get("sign") === "-" ? -1 : 1,
    intensity: inRange(Number(parts.get("intensity") ?? "1"), 0.25, 4) ?? 1,
    show: choice.also.length ? "attribution" : parseShow(parts, manifest, atlas),
    ...overlaysFromHash(parts),
    pin,
    selection: pin ? null : parseSelection(parts, atlas.levels),
    view: parseView(parts.get("view")),
    split: splitFromHash(parts.get("beside"), manifest),
    tour: parseTour(parts.get("tour")),
  };
}

function parsePin(text: string | null, levels: readonly { size: number }[]): CellAddress | null {
  const [size, row, column] = (text ?? "").split(".").map(parseInteger);
  if (size === undefined || row === undefined || column === undefined) return null;
  const fits = row < size && column < size;
  return fits && levels.some((level) => level.size === size) ? { size, row, column } : null;
}

function parseSelection(parts: URLSearchParams, levels: readonly { size: number }[]): Area | null {
  const cells = parts.get("cells");
  const sizes = levels.map(({ size }) => size);
  return cells === null ? parseBox(parts.get("box") ?? "", sizes) : decodeArea(cells, sizes);
}

function parseBox(text: string, sizes: readonly number[]): Area | null {
  const numbers = text.split(".").map(parseInteger);
  const [size = 0, top = 0, left = 0, bottom = 0, right = 0] = numbers;
  const fits = [top, left, bottom, right].every((value) => value < size);
  const good = numbers.length === 5 && fits && sizes.includes(size) && top <= bottom && left <= right;
  return good ? Area.box({ size, top, left, bottom, right }) : null;
}

function parseShow(parts: URLSearchParams, manifest: Manifest, atlas: AtlasEntry): Show {
  const requested = parts.get("show");
  if (requested === "density" && parts.has("class") && atlas.label_levels.length) return "density";
  return requested === "second" && manifest.second && atlas.kind === "all" ? "second" : "attribution";
}

function parseView(text: string | null): View | null {
  const [x, y, span] = (text ?? "").split(",").map((part) => (part.trim() ? Number(part) : Number.NaN));
  const [left, top] = [inRange(x, -1, 2), inRange(y, -1, 2)];
  const size = inRange(span, 0.001, 10);
  return left === null || top === null || size === null ? null : { x: left, y: top, span: size };
}

function parseTour(text: string | null): number | null {
  return /^[1-9]\d?$/.test(text ?? "") ? Number(text) : null;
}

function inRange(value: number | undefined, low: number, high: number): number | null {
  return value !== undefined && value >= low && value <= high ? value : null;
}

// What lies over the icons, as a part of a link has it.

type OverlayState = Pick<State, "measure" | "marks" | "labels">;

/** Names and values; what is as it was at the start is left out. */
export function overlaysToHash({ measure, marks, labels }: OverlayState): [string, string][] {
  return [
    ...(measure ? [["measure", measure] as [string, string]] : []),
    ...(marks ? [["marks", "on"] as [string, string]] : []),
    ...(labels ? [] : [["labels", "off"] as [string, string]]),
  ];
}

/** What a link asks for; anything unknown falls back to the start. */
export function overlaysFromHash(parts: URLSearchParams): OverlayState {
  return {
    measure: parseMeasure(parts.get("measure")),
    marks: parts.get("marks") === "on",
    labels: parts.get("labels") !== "off",
  };
}

// The address of the page: it follows the state, and the state follows a link that is put into it by hand.

export class HashSync {
  /** The address as it was last read or written. */
  private currentHash = location.hash;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly onChange: (state: State) => void,
  ) {
    addEventListener("hashchange", () => this.readHash());
  }

  /** A link that was put in by hand stays: the page hears of it a moment later, and a movement may end meanwhile. */
  writeHash(): void {
    if (location.hash !== this.currentHash) return;
    history.replaceState(null, "", toHash(this.store.state));
    this.currentHash = location.hash;
  }

  private readHash(): void {
    if (location.hash === this.currentHash) return;
    this.currentHash = location.hash;
    const state = fromHash(location.hash, this.manifest);
    this.store.set(state);
    this.onChange(state);
  }
}
