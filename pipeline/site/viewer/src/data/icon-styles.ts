// Styles of icons: what they are optimized from. An atlas has all its icons in each of its styles; an atlas entry also
// names the style in view, so that whatever shows it, its icons and their measures, shows the same one.

export type IconStyle = "drawn" | "accentuated";

export interface WithStyles {
  /** The first one is shown unless another is chosen. */
  readonly styles: readonly IconStyle[];
  /** Style in view if it is not the first one; never in the manifest. */
  readonly style?: IconStyle | undefined;
}

export interface StyleInfo {
  readonly name: string;
  /** What its icons hold of photographs. */
  readonly meaning: string;
}

export const STYLE_INFOS: Readonly<Record<IconStyle, StyleInfo>> = {
  drawn: { name: "Drawn", meaning: "optimized from noise; holds no part of an image" },
  accentuated: {
    name: "Accentuated",
    meaning: "optimized from the patch of the cell's nearest exemplar; holds parts of that image",
  },
};

/** The atlas in a style; in its first one if it lacks this one, or for null. */
export function inStyle<Atlas extends WithStyles>(atlas: Atlas, style: IconStyle | null | undefined): Atlas {
  const other = style && style !== atlas.styles[0] && atlas.styles.includes(style) ? style : undefined;
  return other === atlas.style ? atlas : { ...atlas, style: other };
}

/** Style in view. */
export function styleOf({ styles, style }: WithStyles): IconStyle {
  return style ?? styles[0] ?? "drawn";
}

/** Style in view as a word, where an atlas has several or its icons hold parts of photographs; else null. */
export function notableStyle(atlas: WithStyles): IconStyle | null {
  const style = styleOf(atlas);
  return atlas.styles.length > 1 || style === "accentuated" ? style : null;
}

/** The style after the one in view, as the page's state names it: null for the first one. */
export function nextStyle({ styles, style }: WithStyles): IconStyle | null {
  return (style ? styles[styles.indexOf(style) + 1] : styles[1]) ?? null;
}

/** Folder of the tiles of an atlas in the style in view. */
export function tileFolder(layer: string, atlas: WithStyles & { readonly name: string }): string {
  return ["tiles", layer, atlas.name, ...(atlas.style ? [atlas.style] : [])].join("/");
}
