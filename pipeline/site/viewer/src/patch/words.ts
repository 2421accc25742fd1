// Names and numbers as the page of patch tests says them.

import type { Manifest } from "../manifest";
import type { Estimate, GroupName, PatchTest, Tested, Untested } from "./content";

export const GROUPS: Readonly<Record<GroupName, { readonly name: string; readonly what: string }>> = {
  atlas: { name: "From the atlas", what: "exemplars of the cells at the target’s end" },
  elsewhere: { name: "Same images, other places", what: "the atlas’s images, cut at random places" },
  logit: { name: "Ranked by the logit", what: "natural patches the network alone likes best" },
  random: { name: "Natural, at random", what: "random places of other classes’ images" },
  noise: { name: "Noise", what: "natural colours and spectrum, no shapes" },
};

/** What every part of the page needs. */
export interface Scene<Direction = Tested | Untested> {
  readonly manifest: Manifest;
  readonly test: PatchTest;
  readonly direction: Direction;
  readonly source: string;
  readonly target: string;
}

export function className(manifest: Manifest, id: number): string {
  return manifest.network.classes[id] ?? `class ${id}`;
}

/** Where a picture of the result lies, from the page. */
export function pictureAddress({ test }: Scene<unknown>, picture: string): string {
  return `patch/${test.layer}/${test.atlas}/${picture}`;
}

export function share(value: number): string {
  return `${(100 * value).toFixed(1).replace("-", "−")} %`;
}

export function interval({ low, high }: Estimate): string {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`.replaceAll("-", "−");
}

/** A difference of shares, in points with its sign. */
export function points(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`;
}

/** Sizes as percentages of the input's side. */
export function sizes(shares: readonly number[]): string {
  const all = shares.map((value) => String(Math.round(100 * value)));
  const last = all.pop() ?? "";
  return `${all.length ? `${all.join(", ")} and ` : ""}${last} %`;
}
