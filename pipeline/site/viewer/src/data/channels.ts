// Channels of a layer: those that stand out in a cell, and the mean activation of one channel in every cell.

import { decodeArray, type EncodedArray, loadData, memoize, type NumberArray } from "./data-files";
import { type GridView, type LevelData, loadLevel, parentCells } from "./level";
import type { LayerEntry } from "./manifest";

/** A channel of a cell. */
export interface CellChannel {
  readonly channel: number;
  /** Mean activation in the cell. */
  readonly value: number;
  /** The same less the layer's mean, in standard deviations of the layer's samples. */
  readonly deviations: number;
}

/** The channels of a cell that lie most above the layer's mean, most first. */
export async function loadCellChannels({ layer, level }: GridView, cell: number): Promise<CellChannel[]> {
  const { ranks, channel, value } = await loadStrongest(`${level.name}/channels`);
  const { mean, deviation } = await loadScale(`${layer.name}/channels`);
  return Array.from({ length: ranks }, (_, rank) => cell * ranks + rank)
    .map((at) => ({ channel: channel[at] ?? -1, value: value[at] ?? Number.NaN }))
    .filter((found) => found.channel >= 0)
    .map((found) => ({
      ...found,
      deviations: (found.value - (mean[found.channel] ?? 0)) / (deviation[found.channel] ?? 1),
    }));
}

const loadStrongest = memoize(async (name) => {
  const { channel, value } = await loadData<Record<"channel" | "value", EncodedArray>>(name);
  const [channels, values] = [await decodeArray(channel), await decodeArray(value)];
  return { ranks: channel.shape[1] ?? 0, channel: channels, value: values };
});

const loadScale = memoize(async (name) => {
  const { mean, deviation } = await loadData<Record<"mean" | "deviation", EncodedArray>>(name);
  return { mean: await decodeArray(mean), deviation: await decodeArray(deviation) };
});

// One channel in every cell.

export interface ChannelMap {
  readonly channel: number;
  /** Mean activation in each cell of the shown level; cells of a finer level have those of their parent cell. */
  readonly value: Float32Array;
  /** The level that the values are of. */
  readonly source: LevelData;
  /** Smallest and largest value of its cells with an icon; NaN if there are none. */
  readonly least: number;
  readonly most: number;
  /** Mean activation over all samples of the layer. */
  readonly mean: number;
  /** Its cells with an icon with the largest values, largest first. */
  readonly strongest: readonly { readonly cell: number; readonly value: number }[];
}

const STRONGEST_CELLS = 6;

/** A channel over the cells of a level; null if the layer has no such channel. */
export async function loadChannelMap(
  { layer, atlas, level }: GridView,
  channel: number,
): Promise<ChannelMap | null> {
  const stored = atlas.levels.filter((each) => each.channels_per_block && each.size <= level.size).at(-1);
  if (!stored?.channels_per_block || !hasChannel(layer, channel)) return null;
  const source = await loadLevel(layer.name, atlas.name, stored.size);
  const block = Math.floor(channel / stored.channels_per_block);
  const planes = await loadPlanes(`${source.name}/activation-${block}`);
  const start = (channel % stored.channels_per_block) * source.cells;
  const plane = planes.subarray(start, start + source.cells);
  const { mean } = await loadScale(`${layer.name}/channels`);
  const ranked = Array.from(plane, (value, cell) => ({ cell, value }))
    .filter(({ cell }) => source.hasIcon(cell))
    .sort((one, other) => other.value - one.value || one.cell - other.cell);
  return {
    channel,
    value: Float32Array.from(parentCells(level, source), (cell) => plane[cell] ?? Number.NaN),
    source,
    least: ranked.at(-1)?.value ?? Number.NaN,
    most: ranked[0]?.value ?? Number.NaN,
    mean: mean[channel] ?? Number.NaN,
    strongest: ranked.slice(0, STRONGEST_CELLS),
  };
}

const loadPlanes = memoize(
  async (name): Promise<NumberArray> =>
    decodeArray((await loadData<{ activation: EncodedArray }>(name)).activation),
);

export function hasChannel({ channels }: LayerEntry, channel: number): boolean {
  return Number.isInteger(channel) && channel >= 0 && channel < channels;
}

/** Position of a value between the smallest and the largest one, 0..1. */
export function positionBetween({ least, most }: ChannelMap, value: number): number {
  return most > least ? Math.min(Math.max((value - least) / (most - least), 0), 1) : 0.5;
}

/** Mean activation of the channel in a cell of the shown level. */
export function describeChannel({ channel, value, source }: ChannelMap, size: number, cell: number): string {
  const where = source.size < size ? ` (surrounding cell of ${source.size} × ${source.size})` : "";
  return `Channel ${channel}: ${formatActivation(value[cell] ?? Number.NaN)}${where}`;
}

/** An activation with three significant digits, or as a whole number; a dash for NaN. */
export function formatActivation(value: number): string {
  if (Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const text = size >= 100 || size === 0 ? String(Math.round(size)) : size.toPrecision(3);
  return value < 0 ? `−${text}` : text;
}

/** A number of standard deviations with its sign. */
export function formatDeviations(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} SD`;
}
