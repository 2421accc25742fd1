// State of the page, as a link restores it, with change listeners.

import type { Area, CellAddress } from "../data/area";
import type { Show } from "../data/density";
import type { IconStyle } from "../data/icon-styles";
import type { Measure } from "../data/measures";
import { NO_FILTER, type SampleFilter } from "../data/samples";
import { type ClassSelection, colorsCells, normalizeSelection } from "./class-selection";

export interface SplitState extends ClassSelection {
  readonly layer: string;
  readonly atlas: string;
}

/** Visible part of the atlas: center, and shorter side of the window, in units of the atlas's side. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly span: number;
}

export interface State extends ClassSelection {
  readonly layer: string;
  readonly atlas: string;
  /** Cells per side; null follows the zoom. */
  readonly level: number | null;
  /** Positive or negative attributions. */
  readonly sign: 1 | -1;
  /** Brightness of weak attributions, 0.25..4. */
  readonly intensity: number;
  readonly show: Show;
  /** Measure that colors the cells. */
  readonly measure: Measure | null;
  /** Channel of the layer whose mean activation colors the cells. */
  readonly channel: number | null;
  /** Whether quality warnings are shown. */
  readonly marks: boolean;
  /** Whether labels are shown. */
  readonly labels: boolean;
  /** Style of the icons; null shows the first one of each atlas. */
  readonly style: IconStyle | null;
  /** Whether the map shows the patch of each cell's nearest exemplar in place of its icon, where there are patches. */
  readonly photographs: boolean;
  /** Which samples are drawn as points, and their colors. */
  readonly samples: SampleFilter;
  readonly pin: CellAddress | null;
  /** Selected region; never together with a pin, since both use the panel. */
  readonly selection: Area | null;
  readonly view: View | null;
  /** Content of the second map; null without split view. */
  readonly split: SplitState | null;
  /** Step of the tour, from 1. */
  readonly tour: number | null;
}

type Listener = (state: State, before: State) => void;

export class Store {
  private readonly listeners: Listener[] = [];

  private current: State;

  constructor(first: State) {
    this.current = normalize(first, first, first);
  }

  get state(): State {
    return this.current;
  }

  set(change: Partial<State>): void {
    const before = this.current;
    const next = normalize({ ...before, ...change }, before, change);
    if ((Object.keys(next) as (keyof State)[]).every((key) => next[key] === before[key])) return;
    this.current = next;
    for (const listener of this.listeners) listener(this.current, before);
  }

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }
}

/** Resolve conflicts: a region belongs to its layout, pin and region exclude each other, densities require a class. */
function normalize(requested: State, before: State, change: Partial<State>): State {
  const { classId, also, hues } = normalizeSelection(requested, change);
  const show = also.length || colorsCells(change) ? "attribution" : normalizeShow(requested, change);
  const free = show === "attribution" && !also.length; // only one of them colors the cells
  const other = requested.layer !== before.layer && !("channel" in change); // the same index is another channel there
  const channel = free && !change.measure && !other ? requested.channel : null;
  const measure = free && channel === null ? requested.measure : null;
  const samples = show === "samples" ? requested.samples : NO_FILTER;
  const next = { ...requested, classId, also, hues, show, measure, channel, samples };
  const moved = next.layer !== before.layer || next.atlas !== before.atlas;
  if (change.selection) return { ...next, pin: null };
  return (moved && !("selection" in change)) || change.pin ? { ...next, selection: null } : next;
}

function normalizeShow({ show, classId, atlas }: State, change: Partial<State>): Show {
  if (show === "samples") return show;
  if (atlas !== "all") return "attribution"; // densities exist only for the atlas of all samples
  if (classId === null) return show === "density" ? "attribution" : show;
  return change.classId !== undefined && !change.show && show === "second" ? "attribution" : show;
}
