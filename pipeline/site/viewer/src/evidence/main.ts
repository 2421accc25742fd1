// The page of evidence: what attributions foretell, layer by layer.

import { el } from "../dom";
import type { Manifest } from "../manifest";
import { takePart } from "../parts";

const manifest = takePart("manifest") as Manifest;
document.body.append(el("h1", {}, manifest.title));
