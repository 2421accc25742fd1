// The heading of the second picture: its layer, its atlas, its classes, and what may be done with the picture.

import { offersOf, Search } from "../classes/class-search";
import type { Manifest } from "../data/manifest";
import { AtlasChooser } from "../header/atlas-menu";
import { LayerList } from "../header/layer-menu";
import { chosen, withClass, withoutClass } from "../state/class-selection";
import type { Store } from "../state/state";
import { button, drawing, el } from "../ui/dom";

export interface HeadingActions {
  swap(): void;
  close(): void;
}

export class BesideHeading {
  readonly element = el("header", {
    class: "beside-head",
    role: "group",
    "aria-label": "What the second picture shows",
  });
  private readonly classes = el("div", { class: "beside-classes" });

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    actions: HeadingActions,
  ) {
    const layers = new LayerList(manifest, store, (layer) => store.set({ layer }), "beside-layers");
    const atlases = new AtlasChooser(manifest, store, "beside-atlases");
    const swap = drawing("M6.5 3.5 3 7l3.5 3.5", "M3 7h14", "m13.5 9.5 3.5 3.5-3.5 3.5", "M17 13H3");
    const ways = el(
      "div",
      { class: "ways" },
      button("Swap the pictures", swap, () => actions.swap()),
      button("Close the second picture", drawing("M5 5 15 15", "M15 5 5 15"), () => actions.close()),
    );
    this.element.append(layers.element, atlases.element, this.search().element, this.classes, ways);
    store.subscribe(() => this.update());
    this.update();
  }

  private search(): Search {
    const { manifest, store } = this;
    const actions = {
      choose: (classId: number) => store.set({ classId }),
      add: (classId: number) => store.set(withClass(store.state, classId)),
      offers: (classId: number) => offersOf(manifest, store, classId, () => undefined),
      highlighted: () => chosen(store.state),
    };
    return new Search(manifest.network.classes, actions, "beside-classes");
  }

  /** The highlighted classes; each goes when it is pressed. */
  private update(): void {
    const classes = chosen(this.store.state);
    this.classes.hidden = classes.length === 0;
    const pressed = classes.map(({ id, hue }) => {
      const name = this.manifest.network.classes[id] ?? `class ${id}`;
      const face = el("span", { class: "name" }, name);
      const remove = (): void => this.store.set(withoutClass(this.store.state, id));
      const made = button(`Stop highlighting ${name}`, face, remove, "beside-class");
      made.append(drawing("M6 6 14 14", "M14 6 6 14"));
      if (classes.length > 1) {
        made.dataset.hue = String(hue + 1);
        made.prepend(el("span", { class: "dot", "aria-hidden": "true" }));
      }
      return made;
    });
    this.classes.replaceChildren(...pressed);
  }
}
