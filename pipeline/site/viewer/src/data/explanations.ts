// Which images the run explains, and the address of their pages.

import { loadDataFrom } from "./data-files";
import type { Manifest } from "./manifest";

/** Index of the first explained row of each image, by the image's row. */
type ExplainedRows = Readonly<Record<string, number>>;

/** Address of the page that explains an image; null where the run does not explain it. */
export async function loadExplanationAddress(manifest: Manifest, image: number): Promise<string | null> {
  const layer = manifest.explain[0];
  if (layer === undefined) return null;
  const name = `explain/${layer}/images`;
  const rows = await loadDataFrom<ExplainedRows>(`explain/${encodeURIComponent(layer)}/images.js`, name);
  const row = rows[String(image)];
  return row === undefined ? null : `explain.html#${new URLSearchParams({ layer, row: String(row) })}`;
}
