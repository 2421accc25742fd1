// The page of evidence: what attributions foretell, layer by layer.

import { el } from "../dom";
import type { Manifest } from "../manifest";
import { loadPartFrom, takePart } from "../parts";
import { themeButton } from "../theme";
import { introduction } from "./introduction";
import { layerCard } from "./layer";
import type { Result } from "./result";

async function start(): Promise<void> {
  const manifest = takePart("manifest") as Manifest;
  const layers = el("div", { class: "layers" });
  const rule = el("p", { class: "fine rule" });
  document.body.append(masthead(manifest), el("main", {}, ...introduction(manifest), layers, rule));
  for (const layer of manifest.layers) {
    const name = `predict/${layer.name}`;
    const result = await loadPartFrom<Result>(`${name}/result.js`, name).catch(() => null);
    layers.append(layerCard(layer, result, manifest.network.classes));
    if (result?.measured) rule.textContent = result.verdict.rule;
  }
  document.documentElement.dataset.ready = "evidence";
}

function masthead({ title }: Manifest): HTMLElement {
  const back = el("a", { class: "back", href: "index.html" }, "← Atlas");
  return el(
    "header",
    { class: "masthead" },
    back,
    el("p", { class: "where" }, title),
    themeButton(() => {}),
  );
}

start().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  document.body.append(el("p", { class: "failure", role: "alert" }, text));
});
