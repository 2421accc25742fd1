// Exemplars as patches, cropped from their images by CSS, and the full image of the chosen one.

import type { Exemplar } from "../data/exemplars";
import { loadExplanationAddress } from "../data/explanations";
import type { LayerEntry, Manifest } from "../data/manifest";
import { el } from "../ui/dom";

/** Patches of a cell; choosing one shows its image with patch position, key and label. */
export function createExemplarPatches(
  manifest: Manifest,
  layer: LayerEntry,
  exemplars: readonly Exemplar[],
): HTMLElement[] {
  const first = exemplars[0];
  if (!first) return [el("p", { class: "empty" }, "No exemplars are stored.")];
  const detail = el("div", { class: "origin", "aria-live": "polite" });
  const grid = el("div", { class: "patches", role: "group", "aria-label": "Exemplar patches" });
  const choose = (selected: Exemplar, button: HTMLElement): void => {
    for (const other of grid.children) other.setAttribute("aria-pressed", String(other === button));
    detail.replaceChildren(...createDetail(manifest, selected));
  };
  exemplars.forEach((exemplar, index) => {
    const label = exemplar.label ? `${exemplar.label}, ${exemplar.key}` : exemplar.key;
    const button = el("button", {
      type: "button",
      class: "patch",
      "aria-label": `Exemplar ${index + 1}: ${label}`,
    });
    button.title = label;
    button.append(createPatchImage(exemplar));
    for (const event of ["click", "pointerenter", "focus"]) {
      button.addEventListener(event, () => choose(exemplar, button));
    }
    grid.append(button);
    if (index === 0) choose(exemplar, button);
  });
  return [grid, detail, createReceptiveFieldNote(manifest, layer)];
}

/** The patch of an image, which fills an element of class `patch`. */
export function createPatchImage({
  url,
  left,
  top,
  side,
}: Pick<Exemplar, "url" | "left" | "top" | "side">): HTMLElement {
  const image = el("img", { src: url, alt: "", loading: "lazy", draggable: "false" });
  Object.assign(image.style, {
    width: `${100 / side}%`,
    left: `${(-100 * left) / side}%`,
    top: `${(-100 * top) / side}%`,
  });
  return image;
}

function createDetail(manifest: Manifest, exemplar: Exemplar): HTMLElement[] {
  const patchBox = el("span", { class: "patch-box" });
  const share = (value: number): string => `${100 * value}%`;
  const { left, top, side } = exemplar;
  Object.assign(patchBox.style, {
    left: share(left),
    top: share(top),
    width: share(side),
    height: share(side),
  });
  const image = el("img", { src: exemplar.url, alt: "" });
  const link = el("a", { href: exemplar.url, target: "_blank", rel: "noopener" }, "Open image");
  const text = el("div", { class: "text" }, el("p", { class: "label" }, exemplar.label ?? "no label"));
  text.append(el("p", { class: "key" }, exemplar.key), link);
  loadExplanationAddress(manifest, exemplar.image).then(
    (href) => href && text.append(" ", el("a", { href }, "Explain its class")),
    () => {}, // a site without the explanations shows no link to them
  );
  return [el("div", { class: "full-image" }, image, patchBox), text];
}

function createReceptiveFieldNote(manifest: Manifest, layer: LayerEntry): HTMLElement {
  const { crop } = manifest.network;
  const text = `The receptive field of this layer is ${layer.receptive_field} of the input's ${crop} pixels across`;
  const shown = layer.patch.limited
    ? "; patches show half of the input."
    : "; patches show the receptive field.";
  return el("p", { class: "secondary" }, text + shown);
}
