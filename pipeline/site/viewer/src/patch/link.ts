// Which test is shown, as the part of the address after `#`: layer/atlas/direction.

import type { Manifest } from "../manifest";

export interface Shown {
  readonly layer: string;
  readonly atlas: string;
  /** `<source>-<target>`, the classes' numbers. */
  readonly direction: string;
}

/** The comparisons of a run by their names; every layer has the same ones. */
export function comparisons(manifest: Manifest): readonly string[] {
  const names = manifest.layers[0]?.atlases.map(({ name }) => name) ?? [];
  return names.filter((name) => /^compare-\d+-\d+$/.test(name));
}

/** The left and the right class of a comparison. */
export function pair(atlas: string): readonly [number, number] {
  const [, left, right] = atlas.split("-").map(Number);
  return [left ?? 0, right ?? 0];
}

export function toHash({ layer, atlas, direction }: Shown): string {
  return `#${[layer, atlas, direction].map(encodeURIComponent).join("/")}`;
}

/** What a text asks for; whatever this run does not have falls back: the last layer, the first comparison. */
export function fromHash(hash: string, manifest: Manifest): Shown | null {
  const [layer = "", atlas = "", direction = ""] = hash.replace(/^#/, "").split("/").map(decoded);
  const known = comparisons(manifest);
  const chosen = known.includes(atlas) ? atlas : known[0];
  const layers = manifest.layers.map(({ name }) => name);
  const shown = layers.includes(layer) ? layer : layers.at(-1);
  if (chosen === undefined || shown === undefined) return null;
  const [left, right] = pair(chosen);
  const both = [`${left}-${right}`, `${right}-${left}`];
  const way = both.includes(direction) ? direction : (both[0] ?? "");
  return { layer: shown, atlas: chosen, direction: way };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
