// Hover card of a sample: its patch where the site has its image, its label and the predicted class.

import { patchAt } from "../data/exemplars";
import { loadImageInfo } from "../data/images";
import type { Manifest } from "../data/manifest";
import { outcomeOf, type SampleSet } from "../data/samples";
import type { Scene } from "../state/scene";
import { el } from "../ui/dom";
import { createPatchImage } from "./exemplar-patches";

/** Content of the card; the image and its key are added once they are loaded. */
export function createSampleContent(
  manifest: Manifest,
  { layer, samples }: Scene,
  point: number,
): HTMLElement[] {
  if (!samples) return [];
  const patch = el("span", { class: "patch", hidden: true });
  const text = el("div", { class: "text" });
  const facts = (own: string | null): void =>
    text.replaceChildren(...createFacts(manifest, samples, point, own));
  facts(null);
  const [image, y, x] = [
    samples.image?.[point],
    samples.position?.[2 * point],
    samples.position?.[2 * point + 1],
  ];
  if (image === undefined || y === undefined || x === undefined) return [patch, text];
  const folder = { url: "data/images", perFolder: manifest.images_per_folder };
  loadImageInfo(folder, [image]).then(
    ([info]) => {
      if (!info) return;
      facts(info.label);
      text.append(el("p", { class: "key" }, info.key));
      if (!info.url) return;
      patch.append(createPatchImage({ url: info.url, ...patchAt(layer, y, x) }));
      patch.hidden = false;
    },
    () => text.append(el("p", { class: "key" }, "The list of images cannot be loaded.")),
  );
  return [patch, text];
}

/** Whether the card has anything to say of a sample. */
export function hasSampleContent({ image, label, prediction }: SampleSet): boolean {
  return image !== null || label !== null || prediction !== null;
}

/** What was recorded; `own` is the label in the image set, which may be no class of the network. */
function createFacts(
  { network: { classes }, recorded }: Manifest,
  samples: SampleSet,
  point: number,
  own: string | null,
): HTMLElement[] {
  const name = (id: number | undefined): string | null =>
    id === undefined || id < 0 ? null : (classes[id] ?? `class ${id}`);
  const label = name(samples.label?.[point]) ?? own;
  const outcome = outcomeOf(samples, point);
  const list = el("dl", { class: "sample-facts" });
  const add = (term: string, value: HTMLElement | string): void =>
    list.append(el("div", {}, el("dt", {}, term), el("dd", {}, value)));
  if (recorded.labels || label !== null) add("Label", label ?? "unknown");
  const predicted = name(samples.prediction?.[point]);
  if (predicted !== null) add("Predicted", predicted);
  if (outcome) add("Outcome", el("span", { class: outcome }, outcome));
  return [list];
}
