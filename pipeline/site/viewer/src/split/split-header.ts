// Header of the second pane: layer, atlas, classes and actions.

import { Search, searchActionsOf } from "../classes/class-search";
import type { Manifest } from "../data/manifest";
import { AtlasMenu } from "../header/atlas-menu";
import { LayerMenu } from "../header/layer-menu";
import { addClass, highlightedClasses, removeClass } from "../state/class-selection";
import type { Store } from "../state/state";
import { createButton, createCloseButton, createSvgIcon, el } from "../ui/dom";

export interface HeadingActions {
  swap(): void;
  close(): void;
}

export class SplitHeader {
  readonly element = el("header", {
    class: "split-header",
    role: "group",
    "aria-label": "Content of the second map",
  });
  private readonly classes = el("div", { class: "split-classes" });

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    actions: HeadingActions,
  ) {
    const layers = new LayerMenu(manifest, store, (layer) => store.set({ layer }), "split-layers");
    const atlases = new AtlasMenu(manifest, store, "split-atlases");
    const swap = createSvgIcon("M6.5 3.5 3 7l3.5 3.5", "M3 7h14", "m13.5 9.5 3.5 3.5-3.5 3.5", "M17 13H3");
    const ways = el(
      "div",
      { class: "actions" },
      createButton("Swap maps", swap, () => actions.swap()),
      createCloseButton("Close the second map", () => actions.close()),
    );
    this.element.append(layers.element, atlases.element, this.search().element, this.classes, ways);
    store.subscribe(() => this.update());
    this.update();
  }

  private search(): Search {
    const { manifest, store } = this;
    const actions = {
      choose: (classId: number) => store.set({ classId }),
      add: (classId: number) => store.set(addClass(store.state, classId)),
      actionsFor: (classId: number) => searchActionsOf(manifest, store, classId, () => undefined),
      highlighted: () => highlightedClasses(store.state),
      help: () => undefined,
    };
    return new Search(manifest, actions, "split-classes");
  }

  /** The highlighted classes, as buttons that remove them. */
  private update(): void {
    const classes = highlightedClasses(this.store.state);
    this.classes.hidden = classes.length === 0;
    const pressed = classes.map(({ id, hue }) => {
      const name = this.manifest.network.classes[id] ?? `class ${id}`;
      const content = el("span", { class: "name" }, name);
      const remove = (): void => this.store.set(removeClass(this.store.state, id));
      const button = createButton(`Stop highlighting ${name}`, content, remove, "split-class");
      button.append(createSvgIcon("M6 6 14 14", "M14 6 6 14"));
      if (classes.length > 1) {
        button.dataset.hue = String(hue + 1);
        button.prepend(el("span", { class: "dot", "aria-hidden": "true" }));
      }
      return button;
    });
    this.classes.replaceChildren(...pressed);
  }
}
