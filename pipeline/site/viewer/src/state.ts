// Everything that a link restores, and who wants to know when it changes.

export interface CellAddress {
  readonly size: number;
  readonly row: number;
  readonly column: number;
}

/** What is in sight: the centre, and the shorter side of the window, in sides of the atlas. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly span: number;
}

export interface State {
  readonly layer: string;
  readonly atlas: string;
  /** Cells a side; null follows the zoom. */
  readonly level: number | null;
  readonly classId: number | null;
  /** Cells that speak for the class, or against it. */
  readonly sign: 1 | -1;
  /** Brightness of weak attributions, 0.25..4. */
  readonly intensity: number;
  readonly pin: CellAddress | null;
  readonly view: View | null;
}

type Listener = (state: State, before: State) => void;

export class Store {
  private readonly listeners: Listener[] = [];

  constructor(private current: State) {}

  get state(): State {
    return this.current;
  }

  set(change: Partial<State>): void {
    const before = this.current;
    const changed = (Object.keys(change) as (keyof State)[]).some((key) => change[key] !== before[key]);
    if (!changed) return;
    this.current = { ...before, ...change };
    for (const listener of this.listeners) listener(this.current, before);
  }

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }
}
