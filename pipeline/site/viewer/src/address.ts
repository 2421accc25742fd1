// The address of the page: it follows the state, and the state follows a link that is put into it by hand.

import { fromHash, toHash } from "./link";
import type { Manifest } from "./manifest";
import type { State, Store } from "./state";

export class Address {
  /** The address as it was last read or written. */
  private known = location.hash;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly followed: (state: State) => void,
  ) {
    addEventListener("hashchange", () => this.follow());
  }

  /** A link that was put in by hand stays: the page hears of it a moment later, and a movement may end meanwhile. */
  write(): void {
    if (location.hash !== this.known) return;
    history.replaceState(null, "", toHash(this.store.state));
    this.known = location.hash;
  }

  private follow(): void {
    if (location.hash === this.known) return;
    this.known = location.hash;
    const state = fromHash(location.hash, this.manifest);
    this.store.set(state);
    this.followed(state);
  }
}
