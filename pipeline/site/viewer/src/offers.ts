// What the search offers beside the highlighting of a class: its own atlas, and the comparisons that involve it.

import { atlasesOf, atlasName } from "./atlas-names";
import type { Manifest } from "./manifest";
import type { Offer } from "./search";
import type { Store } from "./state";
import { openAtlas } from "./travel";

/** `taken` is called once an offer has been taken. */
export function offersOf(manifest: Manifest, store: Store, classId: number, taken: () => void): Offer[] {
  return atlasesOf(manifest, classId).map((atlas) => {
    const name = atlasName(manifest, atlas);
    return {
      text: atlas.kind === "class" ? `Atlas of ${name}` : name,
      take: () => {
        openAtlas(manifest, store, atlas.name);
        taken();
      },
    };
  });
}
