// Conversion of the state to and from the URL hash.

import { Area, type CellAddress } from "../data/area";
import { hasChannel } from "../data/channels";
import type { Show } from "../data/density";
import { parseInteger } from "../data/format";
import type { IconStyle } from "../data/icon-styles";
import {
  type AtlasEntry,
  allAtlases,
  find,
  hasPhotographs,
  type LayerEntry,
  type Manifest,
} from "../data/manifest";
import { parseMeasure } from "../data/measures";
import { decodeArea, encodeArea } from "./area-code";
import { selectionFromHash, selectionToHash } from "./class-selection";
import { filterFromHash, filterToHash, missingFilters } from "./sample-filter";
import { splitFromHash, splitToHash } from "./split-view";
import type { State, View } from "./state";

/** URL hash of the state; default values are omitted, except the layer. */
export function toHash(state: State): string {
  const parts = new URLSearchParams({ layer: state.layer });
  if (state.atlas !== "all") parts.set("atlas", state.atlas);
  if (state.level !== null) parts.set("level", String(state.level));
  if (state.classId !== null) parts.set("class", String(state.classId));
  const further = [...selectionToHash(state), ...overlaysToHash(state), ...filterToHash(state.samples)];
  for (const [name, value] of further) parts.set(name, value);
  if (state.sign < 0) parts.set("sign", "-");
  if (state.intensity !== 1) parts.set("intensity", String(state.intensity));
  if (state.show !== "attribution") parts.set("show", state.show);
  if (state.pin) parts.set("pin", `${state.pin.size}.${state.pin.row}.${state.pin.column}`);
  const { selection, view } = state;
  const code = selection && encodeArea(selection);
  if (code) parts.set(code.name, code.text);
  if (view) parts.set("view", [view.x, view.y, view.span].map((value) => value.toFixed(4)).join(","));
  if (state.split) parts.set("beside", splitToHash(state.split));
  if (state.style) parts.set("style", state.style);
  if (state.photographs) parts.set("photographs", "on");
  if (state.tour !== null) parts.set("tour", String(state.tour));
  return `#${parts.toString().replaceAll("%2C", ",").replaceAll("%7E", "~")}`;
}

/** State of a URL hash; unknown values fall back to the defaults. */
export function fromHash(hash: string, manifest: Manifest): State {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const { layer, atlas } = find(manifest, parts.get("layer") ?? "", parts.get("atlas") ?? "all");
  const level = parseInteger(parts.get("level"));
  const requested = parseInteger(parts.get("class"));
  const { classes } = manifest.network;
  const classId = classes[requested] !== undefined && atlas.heatmap ? requested : null;
  const selection = selectionFromHash(parts, classId, classes);
  const pin = parsePin(parts.get("pin"), atlas.levels);
  return {
    layer: layer.name,
    atlas: atlas.name,
    level: atlas.levels.some(({ size }) => size === level) ? level : null,
    ...selection,
    sign: parts.get("sign") === "-" ? -1 : 1,
    intensity: inRange(Number(parts.get("intensity") ?? "1"), 0.25, 4) ?? 1,
    show: selection.also.length ? "attribution" : parseShow(parts, manifest, atlas),
    ...overlaysFromHash(parts, layer),
    samples: filterFromHash(parts, manifest),
    pin,
    selection: pin ? null : parseSelection(parts, atlas.levels),
    view: parseView(parts.get("view")),
    split: splitFromHash(parts.get("beside"), manifest),
    style: parseStyle(parts.get("style"), manifest),
    photographs: parts.get("photographs") === "on" && hasPhotographs(manifest),
    tour: parseTour(parts.get("tour")),
  };
}

/** What a URL hash names that the run does not have, as the page calls it. */
export function missingParts(hash: string, manifest: Manifest): string[] {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const state = fromHash(hash, manifest);
  const { atlas } = find(manifest, state.layer, state.atlas);
  const layerNames = manifest.layers.map(({ name }) => name);
  const named = (key: string): string => parts.get(key) ?? "";
  const missing = (what: string, key: string, found: boolean): string[] =>
    named(key) && !found ? [`${what} “${named(key)}”`] : [];
  const classIds = [named("class"), ...named("also").split(".")].filter((text) => text);
  const isClass = (text: string): boolean => manifest.network.classes[parseInteger(text)] !== undefined;
  const secondLayer = named("beside").split("~")[0] ?? "";
  return [
    ...missing("layer", "layer", named("layer") === state.layer),
    ...missing("atlas", "atlas", named("atlas") === state.atlas),
    ...missing("grid level", "level", state.level !== null),
    ...classIds.filter((text) => !isClass(text)).map((text) => `class “${text}”`),
    ...missing("channel", "channel", state.channel !== null),
    ...missingFilters(parts, manifest),
    ...missing("cell", "pin", state.pin !== null),
    ...missing("region", "box", state.pin !== null || parseSelection(parts, atlas.levels) !== null),
    ...missing("region", "cells", state.pin !== null || parseSelection(parts, atlas.levels) !== null),
    ...missing("bookmark", "tour", state.tour !== null),
    ...(secondLayer && !layerNames.includes(secondLayer) ? [`layer “${secondLayer}” of the second map`] : []),
    ...(named("photographs") === "on" && !state.photographs ? ["photographs"] : []),
    ...missing("icon style", "style", state.style !== null || named("style") === atlas.styles[0]),
  ];
}

/** Sentence about parts of a link that were not found. */
export function describeMissing(parts: readonly string[]): string {
  return `This link names what this atlas does not have: ${parts.join(", ")}.`;
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
  if (requested === "samples") return requested;
  if (requested === "density" && parts.has("class") && atlas.label_levels.length) return "density";
  return requested === "second" && manifest.second_image_set && atlas.kind === "all"
    ? "second"
    : "attribution";
}

function parseView(text: string | null): View | null {
  const [x, y, span] = (text ?? "").split(",").map((part) => (part.trim() ? Number(part) : Number.NaN));
  const [left, top] = [inRange(x, -1, 2), inRange(y, -1, 2)];
  const size = inRange(span, 0.001, 10);
  return left === null || top === null || size === null ? null : { x: left, y: top, span: size };
}

/** Any atlas may have the style: it stays chosen while another one is shown. */
function parseStyle(text: string | null, manifest: Manifest): IconStyle | null {
  const others = allAtlases(manifest).flatMap(({ styles }) => styles.slice(1));
  return others.find((style) => style === text) ?? null;
}

function parseTour(text: string | null): number | null {
  return /^[1-9]\d?$/.test(text ?? "") ? Number(text) : null;
}

function inRange(value: number | undefined, low: number, high: number): number | null {
  return value !== undefined && value >= low && value <= high ? value : null;
}

// What is drawn over the icons.

type OverlayState = Pick<State, "measure" | "channel" | "marks" | "labels">;

/** Names and values; default values are omitted. */
export function overlaysToHash({ measure, channel, marks, labels }: OverlayState): [string, string][] {
  return [
    ...(measure ? [["measure", measure] as [string, string]] : []),
    ...(channel === null ? [] : [["channel", String(channel)] as [string, string]]),
    ...(marks ? [["marks", "on"] as [string, string]] : []),
    ...(labels ? [] : [["labels", "off"] as [string, string]]),
  ];
}

/** Unknown values fall back to the defaults. */
export function overlaysFromHash(parts: URLSearchParams, layer: LayerEntry): OverlayState {
  const channel = parseInteger(parts.get("channel"));
  return {
    measure: parseMeasure(parts.get("measure")),
    channel: hasChannel(layer, channel) ? channel : null,
    marks: parts.get("marks") === "on",
    labels: parts.get("labels") !== "off",
  };
}
