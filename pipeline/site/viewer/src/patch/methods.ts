// Methods of the patch test.

import { el } from "../ui/dom";
import { formatSizes, type PatchContext, type Tested } from "./result";

export function createMethods(context: PatchContext<Tested>): HTMLElement {
  const { test, direction, source, target } = context;
  const { searched, measured, correct, evaluated, listed } = direction.images;
  const tested = direction.groups[0]?.patches_tested ?? 0;
  const selected = direction.groups[0]?.patches.length ?? 0;
  const cut = test.patch.limited
    ? "half of the input’s side, since the receptive field is larger"
    : "the receptive field of the layer";
  return createList([
    [
      "Images",
      `${listed} images of ${source} in the set, ${evaluated} passed to the network, ${correct} of them classified correctly. These are split at random: sizes, corners and patches are selected on one half (${searched} images of it); everything on this page is measured on the other ${measured}. The network may have been trained on some of them.`,
    ],
    [
      "Candidates",
      `Crops of ${test.patch.side} pixels, ${cut}, around exemplars from images that are neither ${source} nor ${target}. Cells are ranked by how far they lie towards ${target}’s end of the axis times the difference of their attributions to ${target} and ${source}.`,
    ],
    [
      "Same search for all groups",
      `Each group tries ${tested} patches at ${formatSizes(test.sizes)} of the side in all four corners on the same images, and keeps the best ${selected}: the same candidate areas and the same number of trials.`,
    ],
    [
      "Same images, random positions",
      "Crops at random positions of the images that the atlas selected: a control for the choice of positions.",
    ],
    [
      "Ranked by the logit",
      `The best of ${test.pool} times as many random natural patches by the logit of ${target}, each shown alone on gray.`,
    ],
    [
      "Noise",
      "Gaussian noise with the color mean and covariance of natural patches and a 1 / frequency amplitude spectrum.",
    ],
    ["Static", "One size and one corner for each patch, selected on the first half."],
    [
      "Dynamic",
      `The best size and corner for each image, selected on that image after trying all of them. This is an oracle: an upper bound for every group that cannot be selected in advance. The untargeted rate under dynamic would refer to the selection for ${target}.`,
    ],
    [
      "Intervals",
      `95 %, from ${test.resamples} bootstrap draws of images and patches. If no image flips, the interval is 0 to 0 and means only that none of ${measured * selected} images did.`,
    ],
    [
      "Published reference",
      "Carter et al. (2019) report 37.2 % static and 57.5 % dynamic, pooled over three pairs of classes with ten hand-picked patches each, on training images of InceptionV1. Their only control was noise.",
    ],
  ]);
}

function createList(entries: readonly (readonly [string, string])[]): HTMLElement {
  const rows = entries.flatMap(([term, text]) => [el("dt", {}, term), el("dd", {}, text)]);
  return el("dl", { class: "notes" }, ...rows);
}
