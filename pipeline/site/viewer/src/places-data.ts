// The places that the run itself leads to; written by the stage `site`.

import { loadPart } from "./parts";

export interface Place {
  readonly title: string;
  readonly text: string;
  /** The part of the page's address after `#`. */
  readonly link: string;
}

export interface Places {
  /** They were made from the figures of the run, since its configuration names none. */
  readonly automatic: boolean;
  readonly places: readonly Place[];
}

export function loadPlaces(): Promise<Places> {
  return loadPart<Places>("places");
}
