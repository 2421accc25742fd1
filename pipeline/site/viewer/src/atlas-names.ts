// The atlases of a run in words.

import type { AtlasEntry, Manifest } from "./manifest";

/** The names of an atlas's classes: none, one, or the left and the right one. */
export function classNames({ network }: Manifest, atlas: AtlasEntry): string[] {
  return atlas.classes.map((id) => network.classes[id] ?? `class ${id}`);
}

/** A short name, as lists have it. */
export function atlasName(manifest: Manifest, atlas: AtlasEntry): string {
  const [one, other] = classNames(manifest, atlas);
  if (one === undefined) return "All samples";
  return other === undefined ? one : `${one} ↔ ${other}`;
}

/** What the atlas holds. */
export function holding(manifest: Manifest, atlas: AtlasEntry): string {
  const [one, other] = classNames(manifest, atlas);
  if (one === undefined) return "All samples";
  return other === undefined ? `Samples of ${one}` : `Samples of ${one} and ${other}`;
}

/** The atlases of a run; every layer has the same ones. */
export function allAtlases(manifest: Manifest): readonly AtlasEntry[] {
  return manifest.layers[0]?.atlases ?? [];
}

/** The atlases of this class alone and the comparisons that involve it. */
export function atlasesOf(manifest: Manifest, classId: number): readonly AtlasEntry[] {
  return allAtlases(manifest).filter(({ classes }) => classes.includes(classId));
}
