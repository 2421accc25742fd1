// The methods of heat maps: names, what each shows, and their sources.

import { percent } from "../data/format";
import { el } from "../ui/dom";
import type { Column, Explanations, Head, MethodName, Settings } from "./result";

interface Method {
  readonly name: string;
  readonly source: string;
  describe(found: Explanations): string;
}

const FILLS: Readonly<Record<Settings["baseline"], string>> = {
  gray: "gray",
  mean: "the mean color",
  blur: "a blurred copy of the image",
  black: "black",
};

const METHODS: Readonly<Record<MethodName, Method>> = {
  saliency: {
    name: "Saliency",
    source: "Simonyan et al. 2014",
    describe: () =>
      "The gradient of the score with respect to each pixel, as its largest absolute value over the colors: where a small change of a pixel changes the score most.",
  },
  saliency_mask: {
    name: "Saliency + GrabCut",
    source: "Simonyan et al. 2014",
    describe: () =>
      "The object that GrabCut separates from the rest of the image, from the colors of the highest 5 % of the saliency and of the lowest 30 %.",
  },
  guided_backpropagation: {
    name: "Guided backpropagation",
    source: "Springenberg et al. 2015",
    describe: () =>
      "The same gradient, but each ReLU passes on positive gradient alone, and only where it is active.",
  },
  deconvolution: {
    name: "Deconvolution",
    source: "Zeiler & Fergus 2014",
    describe: () =>
      "The same gradient, but each ReLU passes on positive gradient alone, whether it is active or not.",
  },
  integrated_gradients: {
    name: "Integrated gradients",
    source: "Sundararajan et al. 2017",
    describe: ({ settings }) =>
      `The gradient, averaged over ${settings.integration_steps} steps from ${FILLS[settings.baseline]} to the image, times the difference between the two: the values add up to the change of the score.`,
  },
  occlusion: {
    name: "Occlusion",
    source: "Zeiler & Fergus 2014",
    describe: ({ settings }) =>
      `How much the score drops when a square of ${percent(settings.occlusion_size)} of the side is replaced by ${FILLS[settings.fill]}; the square moves by ${percent(settings.occlusion_stride)}. A pixel has the mean over the squares that cover it.`,
  },
  occlusion_probability: {
    name: "Occlusion, probability",
    source: "Zeiler & Fergus 2014",
    describe: () => "The same, by how much the probability of the class drops instead of its logit.",
  },
  cam: {
    name: "CAM",
    source: "Zhou et al. 2016",
    describe: ({ head }) =>
      `Class activation map: the channels of a layer, weighted by the class’s weights in a linear head on the mean of the layer’s map.${head ? ` ${describeHead(head)}` : ""}`,
  },
  grad_cam: {
    name: "Grad-CAM",
    source: "Selvaraju et al. 2017",
    describe: () =>
      "The channels of a layer, weighted by the mean gradient of the score with respect to each; negative values are set to zero.",
  },
  guided_grad_cam: {
    name: "Guided Grad-CAM",
    source: "Selvaraju et al. 2017",
    describe: () => "Guided backpropagation times Grad-CAM, enlarged to the input.",
  },
  activation_gradient: {
    name: "Activation × gradient",
    source: "Carter et al. 2019",
    describe: () =>
      "The activation at each position of a layer times its gradient, summed over the channels: to first order, what the position adds to the score. Attributions of an activation atlas are of this kind.",
  },
};

/** What a method is called. */
export function methodName(method: MethodName): string {
  return METHODS[method]?.name ?? method;
}

/** A method with the layer whose map it uses. */
export function columnName({ method, layer }: Pick<Column, "method" | "layer">): string {
  return layer ? `${methodName(method)}, ${layer}` : methodName(method);
}

function describeHead({ kind, layer, agreement, accuracy }: Head): string {
  if (kind === "linear") return `The network ends with such a head, on ${layer}.`;
  if (kind === "map")
    return `The channels of ${layer} are the classes: the network ends with the mean of its map.`;
  const agrees =
    agreement === null ? "" : `; it predicts the network’s class for ${percent(agreement)} of other images`;
  const right = accuracy
    ? ` (of those with a label the network classifies ${percent(accuracy[0])} correctly, the head ${percent(accuracy[1])})`
    : "";
  return `The network has no such head. One was fitted to its logits on ${layer}${agrees}${right}: the heat maps are those of a similar network, not of this one.`;
}

/** One sentence for each method, with its source. */
export function createMethods(found: Explanations): HTMLElement {
  const names = [...new Set(found.columns.map(({ method }) => method))];
  const items = names.map((name) => {
    const method = METHODS[name];
    const text = method ? [method.describe(found), el("span", { class: "source" }, method.source)] : [];
    return el("div", {}, el("dt", {}, methodName(name)), el("dd", {}, ...text));
  });
  const score = found.of_classes
    ? "The score is the logit of the class, before the softmax."
    : "The score is the highest activation of the unit in the image.";
  return el(
    "section",
    { class: "notes methods" },
    el("h2", {}, "The methods"),
    el("p", { class: "summary" }, score),
    el("dl", {}, ...items),
  );
}
