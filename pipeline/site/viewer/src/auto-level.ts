// Which grid level suits a zoom.

const COMFORTABLE = 30;
const STILL_GOOD = 0.85;

/**
 * The finest level whose cells are comfortably large on the screen.
 *
 * @param sizes cells a side of the levels, coarse to fine.
 * @param side of the whole atlas on the screen, CSS pixels.
 * @param shown the level in sight; it stays a little longer, so that a small movement does not make it flicker.
 */
export function autoLevel(sizes: readonly number[], side: number, shown: number | null): number {
  const fits = sizes.filter((size) => side / size >= COMFORTABLE * (size === shown ? STILL_GOOD : 1));
  return fits.at(-1) ?? sizes[0] ?? 1;
}
