// The page of patch tests: which patches turn one class into another.

import { el } from "../dom";
import type { Manifest } from "../manifest";
import { takePart } from "../parts";

const manifest = takePart("manifest") as Manifest;
document.body.append(el("h1", {}, manifest.title));
