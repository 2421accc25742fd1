// What each method does, and how its pictures are read.

import type { Synthesis } from "../data/syntheses";

export interface MethodText {
  /** What it does. */
  readonly what: string;
  readonly reading: string;
  /** Authors and year; columns may have further ones. */
  readonly source: string;
}

export const METHOD_TEXTS: Readonly<Record<Synthesis, MethodText>> = {
  deep_dream: {
    what: "An image is changed, at several sizes, so that the activation of a layer, a unit, a class or a cell of the atlas grows.",
    reading:
      "Compare each picture with its image: the shapes that appear are what the target responds to, not what the image shows.",
    source: "Mordvintsev et al. 2015",
  },
  accentuation: {
    what: "A photograph is pulled towards a cell of the atlas or a unit, while its features at an early layer are kept.",
    reading:
      "What grows clearer is what of this image counts for the target; what appears anew under a strong pull comes from the network.",
    source: "Hamblin et al. 2024",
  },
  inversion: {
    what: "A picture is optimized until its features at a layer are those of a photograph.",
    reading:
      "What the picture shares with the photograph is still in these features; what differs is what the layer has discarded.",
    source: "Mahendran & Vedaldi 2015",
  },
  texture: {
    what: "A picture is optimized from noise until the Gram matrices of its features are those of a photograph: how often channels occur together, wherever that is.",
    reading:
      "Look for the material of the photograph without its arrangement: each further layer keeps larger structures.",
    source: "Gatys et al. 2015",
  },
  style_transfer: {
    what: "A picture is optimized to have the features of one image, its content, and the Gram matrices of another one, its style.",
    reading:
      "The more the style weighs, the more of the content’s arrangement gives way to the colors and strokes of the style.",
    source: "Gatys et al. 2016",
  },
  painting: {
    what: "A picture is optimized so that each of its regions has the direction of a cell of the atlas, as a grid of labels says.",
    reading:
      "Each region should resemble the icon of its cell; at the borders one sees how the network joins two of them.",
    source: "Icons of cells: Carter et al. 2019",
  },
  region_query: {
    what: "All images are ranked by how much of their activation belongs to chosen cells of the atlas.",
    reading:
      "The first images hold most of the region; what they have in common is what the region stands for in this image set.",
    source: "",
  },
};
