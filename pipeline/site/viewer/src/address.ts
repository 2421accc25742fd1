// The address of the page: it follows the state, and the state follows a link that is put into it by hand.

import { fromHash, toHash } from "./link";
import type { Manifest } from "./manifest";
import type { State, Store } from "./state";

export class Address {
  private hash = "";

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly followed: (state: State) => void,
  ) {
    addEventListener("hashchange", () => this.follow());
  }

  write(): void {
    this.hash = toHash(this.store.state);
    history.replaceState(null, "", this.hash);
  }

  private follow(): void {
    if (location.hash === this.hash) return;
    const state = fromHash(location.hash, this.manifest);
    this.store.set(state);
    this.followed(state);
  }
}
