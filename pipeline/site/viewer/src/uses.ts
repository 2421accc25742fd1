// Cells that serve several purposes: strong for two classes that look nothing alike.

import { loadPart } from "./parts";
import { type Packed, unpack } from "./unpack";

export interface Use {
  /** The cell, in its level. */
  readonly cell: number;
  /** The two classes, the stronger one first, with the cell's mean attribution, logit. */
  readonly classes: readonly { readonly id: number; readonly value: number }[];
  /** How little the classes look alike, 0..2. */
  readonly distance: number;
}

const COLUMNS = ["cell", "first", "second", "first_value", "second_value", "distance"] as const;
type Content = Readonly<Record<(typeof COLUMNS)[number], Packed>>;

/** The multi-use cells of the level that lies at `<layer>/<atlas>/<size>`, best first. */
export async function loadUses(level: string): Promise<Use[]> {
  const content = await loadPart<Content>(`${level}/uses`);
  const columns = await Promise.all(COLUMNS.map((column) => unpack(content[column])));
  const [cell = [], first = [], second = [], firstValue = [], secondValue = [], distance = []] = columns;
  return Array.from(cell, (number, index) => ({
    cell: number,
    classes: [
      { id: first[index] ?? -1, value: firstValue[index] ?? Number.NaN },
      { id: second[index] ?? -1, value: secondValue[index] ?? Number.NaN },
    ],
    distance: distance[index] ?? Number.NaN,
  }));
}
