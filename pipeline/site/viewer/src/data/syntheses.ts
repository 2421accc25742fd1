// Methods by which pictures are synthesized, and the address of their page.

export type Synthesis =
  | "deep_dream"
  | "accentuation"
  | "inversion"
  | "texture"
  | "style_transfer"
  | "painting"
  | "region_query";

export const SYNTHESIS_NAMES: Readonly<Record<Synthesis, string>> = {
  deep_dream: "DeepDream",
  accentuation: "Feature accentuation",
  inversion: "Inversion",
  texture: "Textures",
  style_transfer: "Style transfer",
  painting: "Painting",
  region_query: "Query by region",
};

export function synthesisAddress(method: Synthesis): string {
  return `synthesize.html#${new URLSearchParams({ method })}`;
}
