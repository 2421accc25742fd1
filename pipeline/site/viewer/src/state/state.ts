// Everything that a link restores, and who wants to know when it changes.

import type { Area, CellAddress } from "../data/area";
import type { Show } from "../data/density";
import type { Measure } from "../data/measures";
import { normalizeSelection, type RadioGroup } from "./class-selection";

export interface SplitState extends RadioGroup {
  readonly layer: string;
  readonly atlas: string;
}

/** What is in sight: the centre, and the shorter side of the window, in sides of the atlas. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly span: number;
}

export interface State extends RadioGroup {
  readonly layer: string;
  readonly atlas: string;
  /** Cells a side; null follows the zoom. */
  readonly level: number | null;
  /** Cells that speak for the class, or against it. */
  readonly sign: 1 | -1;
  /** Brightness of weak attributions, 0.25..4. */
  readonly intensity: number;
  readonly show: Show;
  /** What is told of every cell by a colour over its icon. */
  readonly measure: Measure | null;
  /** Whether cells of low fidelity and of mixed content bear a mark. */
  readonly marks: boolean;
  /** Whether names stand on the picture. */
  readonly labels: boolean;
  readonly pin: CellAddress | null;
  /** The selected region; there is never a pin beside it, since both fill the panel. */
  readonly selection: Area | null;
  readonly view: View | null;
  /** What a second picture beside the first one shows. */
  readonly split: SplitState | null;
  /** The step of the tour whose caption is shown, from 1. */
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

/** A region belongs to its layout, only one of pin and region is shown, and only a class has a density of its own. */
function normalize(requested: State, before: State, change: Partial<State>): State {
  const { classId, also, hues } = normalizeSelection(requested, change);
  const show = also.length || change.measure ? "attribution" : normalizeShow(requested, change);
  const measure = show === "attribution" && !also.length ? requested.measure : null; // only one of them colours the cells
  const next = { ...requested, classId, also, hues, show, measure };
  const moved = next.layer !== before.layer || next.atlas !== before.atlas;
  if (change.selection) return { ...next, pin: null };
  return (moved && !("selection" in change)) || change.pin ? { ...next, selection: null } : next;
}

function normalizeShow({ show, classId, atlas }: State, change: Partial<State>): Show {
  if (atlas !== "all") return "attribution"; // densities are known of the whole atlas alone
  if (classId === null) return show === "density" ? "attribution" : show;
  return change.classId !== undefined && !change.show && show === "second" ? "attribution" : show;
}
