// One unit: pictures, examples from the images, figures.

import { activation, count, decimal, share } from "../data/format";
import { atlasAddress } from "../data/last-place";
import type { Manifest } from "../data/manifest";
import { el } from "../ui/dom";
import { createStripPart } from "../ui/strip";
import { createPicture, describeConcept, describeReached } from "./contact-sheet";
import { createHistogram } from "./histogram";
import {
  type Example,
  type ExampleKind,
  type LayerUnits,
  type PictureRole,
  type Selection,
  toHash,
  type UnitResult,
  unitFile,
} from "./result";

const EXAMPLE_NAMES: Readonly<Record<ExampleKind, string>> = {
  highest: "Highest activations",
  middle: "Images around the median",
  lowest: "Lowest activations",
};

const VARIANTS: Readonly<Record<Exclude<PictureRole, "high">, readonly [string, string]>> = {
  facet: [
    "Facets",
    "One image for each cluster of the unit’s strongest patches, held near their feature statistics.",
  ],
  diverse: ["Diversity", "Images optimized together, with a term that makes them differ."],
  low: ["Lowest activation", "An image optimized for the lowest activation of the unit."],
};

const OBJECTIVES: Readonly<Record<LayerUnits["objective"], string>> = {
  channel: "the mean over the map",
  neuron: "the position at the center of the map",
  probability: "the probability",
};
const CLASS_OBJECTIVES: typeof OBJECTIVES = {
  channel: "the logit",
  neuron: "the logit",
  probability: "the softmax probability",
};

/** Everything about a unit. */
export function createUnit(
  manifest: Manifest,
  found: LayerUnits,
  unit: UnitResult,
  selection: Selection,
): HTMLElement[] {
  const facts = el(
    "div",
    { class: "facts" },
    createFigures(unit, found),
    ...createLinks(manifest, found, unit),
  );
  const overview = el(
    "div",
    { class: "overview" },
    el(
      "figure",
      { class: "main" },
      createPicture(found.layer, unit, `Image optimized to activate unit ${unit.channel}`),
      createCaption(unit, found),
    ),
    facts,
  );
  const sections = [
    createExamples(found, unit),
    createMaps(found, unit),
    createVariants(found, unit, "facet"),
    createVariants(found, unit, "diverse"),
    createVariants(found, unit, "low"),
    el("section", { class: "activations" }, el("h2", {}, "Activations"), createHistogram(unit)),
  ];
  return [createNavigation(found, unit, selection), overview, ...sections.filter((one) => one !== null)];
}

function createNavigation(found: LayerUnits, unit: UnitResult, selection: Selection): HTMLElement {
  const index = found.units.indexOf(unit);
  const link = (offset: number, text: string, rel: string): HTMLElement | null => {
    const other = found.units[index + offset];
    return other ? el("a", { href: toHash({ ...selection, unit: other.channel }), rel }, text) : null;
  };
  return el(
    "nav",
    { class: "units", "aria-label": "Units" },
    el("a", { href: toHash({ ...selection, unit: null }) }, `All units of ${found.layer}`),
    link(-1, "← Previous unit", "prev"),
    link(1, "Next unit →", "next"),
  );
}

function createCaption(unit: UnitResult, { objective }: LayerUnits): HTMLElement {
  if (!unit.pictures.length) return el("figcaption", {}, "No image of the run activates this unit.");
  const what = unit.name === null ? OBJECTIVES[objective] : CLASS_OBJECTIVES[objective];
  return el("figcaption", {}, `Optimized for ${what}. It reaches ${describeReached(unit)}.`);
}

function createFigures(unit: UnitResult, { images, concepts }: LayerUnits): HTMLElement {
  const { nearest, active, clusters } = unit;
  const items: readonly (readonly [string, string, string])[] = [
    [
      "Active",
      `in ${share(active.images)} of the images, at ${share(active.positions)} of the positions`,
      `Activation above zero; ${images.toLocaleString("en-US")} images.`,
    ],
    [
      "Activation",
      `${activation(unit.low)} to ${activation(unit.high)}`,
      "Lowest and highest at all positions of all images.",
    ],
    [
      "Clarity",
      decimal(unit.clarity ?? Number.NaN),
      "Mean cosine between the strongest patches in the network’s own embedding; 1: all alike.",
    ],
    [
      "Clusters",
      clusters.length > 1
        ? `${clusters.length} (${clusters.join(", ")} patches)`
        : `${clusters.length || "–"}`,
      "Of the strongest patches in the same embedding; several suggest a polysemantic unit.",
    ],
    [
      "Nearest unit",
      nearest.channel < 0
        ? "–"
        : `${nearest.channel}, correlation ${decimal(nearest.correlation ?? Number.NaN)}`,
      "The other channel whose activation is most correlated over all positions.",
    ],
    ...(concepts
      ? [
          [
            "Nearest concept",
            describeConcept(unit),
            "Annotated concept of the largest intersection over union with the region where the unit is above the threshold of its activation maps.",
          ] as const,
        ]
      : []),
  ];
  return el(
    "dl",
    { class: "figures" },
    ...items.map(([name, value, help]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value), el("dd", { class: "secondary" }, help)),
    ),
  );
}

/** To the layer in the atlas, and to heat maps, where the run has them. */
function createLinks({ layers, explain }: Manifest, { layer }: LayerUnits, unit: UnitResult): HTMLElement[] {
  const links: HTMLElement[] = [];
  if (layers.some(({ name }) => name === layer)) {
    const href = atlasAddress(`#${new URLSearchParams({ layer, channel: String(unit.channel) })}`);
    links.push(el("a", { href }, "Show the cells of the atlas that activate this unit"));
  }
  if (explain.includes(layer)) {
    const href = `explain.html#${new URLSearchParams({ layer })}`;
    links.push(el("a", { href }, `Heat maps of ${unit.name === null ? "units of this layer" : "classes"}`));
  }
  return links.map((link) => el("p", { class: "links" }, link));
}

/** Pictures of one role, from the strip of all pictures but the first. */
function createVariants(
  { layer }: LayerUnits,
  unit: UnitResult,
  role: Exclude<PictureRole, "high">,
): HTMLElement | null {
  const others = unit.pictures.slice(1);
  const chosen = others.flatMap((picture, index) => (picture.role === role ? [{ picture, index }] : []));
  if (!chosen.length) return null;
  const [title, text] = VARIANTS[role];
  const src = unitFile(layer, "variants", unit.channel);
  const figures = chosen.map(({ picture, index }, number) => {
    const cluster = role === "facet" ? `${count(unit.clusters[number] ?? 0, "patch", "patches")} · ` : "";
    const caption = `${cluster}${describeActivation(picture.activation, unit)}`;
    const part = createStripPart(
      src,
      `${title} ${number + 1} of unit ${unit.channel}`,
      index,
      0,
      others.length,
      1,
    );
    return el("figure", {}, part, el("figcaption", {}, caption));
  });
  return el(
    "section",
    { class: role },
    el("h2", {}, title),
    el("p", { class: "summary" }, `${text} Below each: the activation that it reaches.`),
    el("div", { class: "pictures" }, ...figures),
  );
}

/** An activation as a multiple of the extreme one of its sign in the images. */
function describeActivation(value: number, { high, low }: UnitResult): string {
  const extreme = value < 0 ? low : high;
  return extreme
    ? `${(value / extreme).toFixed(1)} × ${value < 0 ? "lowest" : "highest"}`
    : activation(value);
}

function createExamples(
  { layer, receptive_field: field, patch }: LayerUnits,
  unit: UnitResult,
): HTMLElement | null {
  const kinds = Object.entries(unit.examples) as readonly [ExampleKind, readonly Example[]][];
  if (!kinds.length) return null;
  const columns = Math.max(...kinds.map(([, examples]) => examples.length));
  const src = unitFile(layer, "examples", unit.channel);
  const rows = kinds.map(([kind, examples], row) => {
    const figures = examples.map((example, column) => {
      const caption = `${activation(example.activation)}${example.label ? ` · ${example.label}` : ""}`;
      const part = createStripPart(src, `Patch of ${example.key}`, column, row, columns, kinds.length);
      return el("figure", { title: example.key }, part, el("figcaption", {}, caption));
    });
    const equal = kind === "lowest" && examples.every((one) => one.activation === examples[0]?.activation);
    const title = `${EXAMPLE_NAMES[kind]}${equal && examples.length > 1 ? " (equal: the first of the images)" : ""}`;
    return [el("h3", {}, title), el("div", { class: "pictures" }, ...figures)];
  });
  const text =
    patch.side === patch.input
      ? "The part of the image that the network sees."
      : `Patches around the position of the activation, as large as the receptive field of ${field} pixels, at most half of the input; at most one of an image.`;
  return el(
    "section",
    { class: "examples" },
    el("h2", {}, "Examples"),
    el("p", { class: "summary" }, text),
    ...rows.flat(),
  );
}

/** The images of the highest activations, dark where the unit is not active. */
function createMaps({ layer }: LayerUnits, unit: UnitResult): HTMLElement | null {
  if (!unit.maps || unit.threshold === null) return null;
  const examples = unit.examples.highest ?? [];
  const src = unitFile(layer, "maps", unit.channel);
  const figures = Array.from({ length: unit.maps }, (_, column) => {
    const name = examples[column]?.key ?? `image ${column + 1}`;
    return el(
      "figure",
      { title: name },
      createStripPart(src, `Where unit ${unit.channel} is active in ${name}`, column, 0, unit.maps, 1),
    );
  });
  const text = `The images of the highest activations, bright where the activation is above ${activation(unit.threshold)}, as it is at no more than 0.5 % of all positions of all images.`;
  return el(
    "section",
    { class: "maps" },
    el("h2", {}, "Activation maps"),
    el("p", { class: "summary" }, text),
    el("div", { class: "pictures" }, ...figures),
  );
}
