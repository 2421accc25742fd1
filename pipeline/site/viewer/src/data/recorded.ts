// What a run recorded. The page offers what can be shown, and says of the rest which setting records it.

import { allAtlases, type Manifest } from "./manifest";

export type Recording =
  | "attributions"
  | "labels"
  | "judge"
  | "class atlases"
  | "comparisons"
  | "a second image set"
  | "exemplars"
  | "several layers"
  | "several atlases"
  | "several styles";

/** Whether a run recorded this. */
export function isRecorded(manifest: Manifest, recording: Recording): boolean {
  const atlases = allAtlases(manifest);
  switch (recording) {
    case "attributions":
    case "labels":
    case "judge":
      return manifest.recorded[recording];
    case "class atlases":
      return atlases.some(({ kind }) => kind === "class");
    case "comparisons":
      return atlases.some(({ kind }) => kind === "compare");
    case "a second image set":
      return manifest.second_image_set !== null;
    case "exemplars":
      return manifest.exemplars > 0;
    case "several layers":
      return manifest.layers.length > 1;
    case "several atlases":
      return atlases.length > 1;
    case "several styles":
      return atlases.some(({ styles }) => styles.length > 1);
  }
}

/** Settings that record what a page would otherwise show. */
const SETTINGS = {
  attributions: "sample.attribution=true",
  comparisons: "comparisons=[[CLASS,CLASS]]",
} as const;

/** Sentence in the place of what the run did not record; `what` is its name, first letter upper case. */
export function notRecorded(what: string, recording: keyof typeof SETTINGS): string {
  return `${what} not recorded in this run, use ${SETTINGS[recording]}.`;
}
