// Keeps the URL hash, the browser's history and the state in sync.

import { rememberPlace } from "../data/last-place";
import type { Manifest } from "../data/manifest";
import type { State, Store } from "./state";
import { fromHash, toHash } from "./url-hash";

const WRITE_AFTER_MS = 100; // browsers limit how often a page may change its URL

export interface LinkFollowers {
  /** Called with a hash that was typed or that the browser went to, before the state is that of it. */
  before(hash: string): void;
  /** Called with the new state. */
  after(state: State): void;
}

/** A change that the user makes is a step of the history, apart from movements, which belong to the step before. */
export class HashSync {
  /** Hash as last read or written. */
  private currentHash = location.hash;
  /** The step that the last entry of the history is of. */
  private currentStep: string;
  private pendingHash: string | null = null;
  private timer = 0;
  /** Whether the user did anything since the page was opened or went to another entry. */
  private acted = false;
  /** Whether the next movement is a step. */
  private jumps = false;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly followers: LinkFollowers,
  ) {
    this.currentStep = stepOf(store.state);
    rememberPlace(location.hash);
    addEventListener("hashchange", () => this.readHash());
    addEventListener("pagehide", () => this.flush());
    const act = (): void => {
      this.acted = true;
    };
    for (const event of ["pointerdown", "keydown", "click", "change"]) addEventListener(event, act, true);
  }

  /** Make a step of the next movement: it jumps to another place. */
  jump(): void {
    this.jumps = true;
  }

  /** A hash that was edited by hand is kept: its event arrives a moment later, and a movement may end in between. */
  writeHash(): void {
    if (location.hash !== this.currentHash) return;
    const { state } = this.store;
    const [hash, step] = [toHash(state), stepOf(state)];
    if (hash === (this.pendingHash ?? this.currentHash)) return;
    if (this.acted && (step !== this.currentStep || this.jumps)) {
      this.flush();
      history.pushState(null, "", hash);
      this.currentHash = location.hash;
      this.jumps = false;
    } else {
      this.pendingHash = hash;
      clearTimeout(this.timer);
      if (step === this.currentStep) this.timer = setTimeout(() => this.flush(), WRITE_AFTER_MS);
      else this.flush();
    }
    this.currentStep = step;
    rememberPlace(hash);
  }

  /** Write the last movement to the present entry of the history. */
  private flush(): void {
    clearTimeout(this.timer);
    if (this.pendingHash === null || location.hash !== this.currentHash) return;
    history.replaceState(null, "", this.pendingHash);
    this.currentHash = location.hash;
    this.pendingHash = null;
  }

  private readHash(): void {
    if (location.hash === this.currentHash) return;
    clearTimeout(this.timer);
    this.pendingHash = null;
    this.acted = false;
    const { hash } = location;
    this.currentHash = hash;
    const state = fromHash(hash, this.manifest);
    rememberPlace(hash);
    this.followers.before(hash);
    this.store.set(state);
    this.currentStep = stepOf(this.store.state);
    this.followers.after(state);
  }
}

/** The state apart from what follows from movements and sliders. */
function stepOf(state: State): string {
  return toHash({ ...state, view: null, intensity: 1 });
}
