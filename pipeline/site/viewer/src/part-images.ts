// The images of a cell or a region, with a choice of the image set where there are two.

import { choice } from "./choice";
import { el } from "./dom";
import { imageList } from "./image-list";
import type { ImageSource } from "./image-source";
import type { Tally } from "./members";
import type { Area } from "./region-area";

export interface PartImages {
  /** Null where there is nothing to choose. */
  readonly choice: HTMLElement | null;
  readonly list: HTMLElement;
}

let preferred: ImageSource["name"] = "second"; // what people chose last: the next cell follows it

/**
 * A list that fills itself, first with the images of the set that was chosen last.
 *
 * @param sources at least one.
 * @param heard is told the images whenever they are shown.
 */
export function partImages(
  sources: readonly ImageSource[],
  area: Area,
  report: (error: unknown) => void,
  heard: (source: ImageSource, tallies: readonly Tally[]) => void = () => {},
): PartImages {
  const list = el("div");
  let shown: ImageSource | undefined;
  const show = (source: ImageSource | undefined): void => {
    shown = source;
    list.replaceChildren(el("div", { class: "waiting" }));
    const fill = (tallies: Tally[]): void => {
      if (!source || shown !== source) return;
      list.replaceChildren(imageList(source, tallies, report));
      heard(source, tallies);
    };
    source?.members(area).then(fill).catch(report);
  };
  const named = (name: string): ImageSource | undefined =>
    sources.find((source) => source.name === name) ?? sources[0];
  show(named(preferred));
  if (sources.length < 2) return { choice: null, list };
  const whose = choice("Whose images", (name) => {
    preferred = named(name)?.name ?? preferred;
    show(named(name));
  });
  whose.element.classList.add("whose");
  whose.offer(sources.map(({ name, face }) => ({ value: name, face })));
  whose.choose(shown?.name ?? "");
  return { choice: whose.element, list };
}
