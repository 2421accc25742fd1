// Where the samples of a cell lie in another picture: in the same cell of the same atlas, or in other cells at another
// layer. Two different atlases have no samples' places in common that the page knows of.

import { loadRelatives } from "./links";
import type { Manifest } from "./manifest";
import type { Scene } from "./scene";
import type { CellAddress } from "./state";

/** A cell with the share of the samples that lie in it, 0..1. */
export interface Kin {
  readonly cell: CellAddress;
  readonly share: number;
}

export async function kinOf(manifest: Manifest, from: Scene, cell: number, to: Scene): Promise<Kin[]> {
  if (from.atlas.name !== to.atlas.name) return [];
  const { level } = from;
  if (from.layer.name === to.layer.name) {
    return [{ cell: { size: level.size, row: level.row(cell), column: level.column(cell) }, share: 1 }];
  }
  const [there] = await loadRelatives(manifest, from, cell, to.layer.name);
  if (!there) return [];
  return there.cells.map((other) => ({
    cell: {
      size: there.level.size,
      row: there.level.row(other.cell),
      column: there.level.column(other.cell),
    },
    share: other.share,
  }));
}
