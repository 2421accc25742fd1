// How the test was made, what is an oracle, and what others found.

import { el } from "../ui/dom";
import { formatSizes, type PatchContext, type Tested } from "./result";

export function createMethods(context: PatchContext<Tested>): HTMLElement {
  const { test, direction, source, target } = context;
  const { searched, measured, right, shown, listed } = direction.images;
  const tried = direction.groups[0]?.tried ?? 0;
  const kept = direction.groups[0]?.patches.length ?? 0;
  const cut = test.patch.limited
    ? "half of the input’s side, for the layer sees more"
    : "what the layer sees";
  return createList([
    [
      "Images",
      `${listed} images of ${source} in the set, ${shown} shown to the network, ${right} of them got right. Those are split by chance: sizes, corners and patches are chosen on one half (${searched} images of it), everything on this page is measured on the other ${measured}. The network may have been trained on some of them.`,
    ],
    [
      "Candidates",
      `Crops of ${test.patch.side} pixels, ${cut}, around exemplars from images that are neither ${source} nor ${target}. Cells come in the order of how far they lie towards ${target}’s end times how much more they say for ${target} than for ${source}.`,
    ],
    [
      "Same search for all",
      `Each group tries ${tried} patches at ${formatSizes(test.sizes)} of the side in all four corners on the same images, and keeps the best ${kept}: the same areas to choose from, and the same number of tries.`,
    ],
    [
      "Same images, other places",
      "The atlas’s own images, each cut at a random place: what is left of the atlas’s advice when its places are forgotten.",
    ],
    [
      "Ranked by the logit",
      `The best of ${test.pool} times as many random natural patches by the logit of ${target}, each shown alone on grey.`,
    ],
    [
      "Noise",
      "Gaussian noise with the colour mean and covariance of natural patches and an amplitude that falls as 1 / frequency.",
    ],
    ["Static", "One size and one corner for each patch, chosen on the first half."],
    [
      "Dynamic",
      `The best size and corner for each image, known only after trying them all on that very image. That is an oracle: it flatters every group, and no one could choose so beforehand. “Leaves” under dynamic would be of the choice made for ${target}.`,
    ],
    [
      "Intervals",
      `95 %, from ${test.resamples} bootstrap draws of images and patches. Where nothing flips the interval is 0 to 0, and says only that none of ${measured * kept} pictures did.`,
    ],
    [
      "Yardstick",
      "Carter et al. (2019) found 37.2 % static and 57.5 % dynamic, pooled over three pairs of classes and ten patches each that people had picked, on training images of InceptionV1. Their only control was noise.",
    ],
  ]);
}

function createList(entries: readonly (readonly [string, string])[]): HTMLElement {
  const rows = entries.flatMap(([term, text]) => [el("dt", {}, term), el("dd", {}, text)]);
  return el("dl", { class: "notes" }, ...rows);
}
