// Densities in words.

import { type Density, difference, type Extreme } from "./density";
import { share } from "./format";

/** Where a cell stands: its share of the chosen samples beside its share of all. */
export function densityLine(density: Density, size: number, cell: number): string {
  const [own, all] = [density.own[cell] ?? 0, density.all[cell] ?? 0];
  const whose = density.of === "class" ? "its samples" : "the second set";
  const where = density.size < size ? ` (around it on ${density.size} × ${density.size})` : "";
  return `${share(own)} of ${whose}, ${share(all)} of all${where}`;
}

/** A difference of shares in percentage points, with its sign. */
export function points(extreme: Extreme): string {
  const value = 100 * difference(extreme);
  const size = Math.abs(value);
  const text = size >= 1 ? size.toFixed(1) : String(Number(size.toPrecision(2)));
  return `${value < 0 ? "−" : "+"}${text}`;
}
