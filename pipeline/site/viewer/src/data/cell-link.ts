// Links from other pages to cells of the atlas.

/** Address of the atlas page with a cell pinned. */
export function cellAddress(layer: string, level: number, row: number, column: number): string {
  const hash = new URLSearchParams({ layer, level: String(level), pin: `${level}.${row}.${column}` });
  return `index.html#${hash}`;
}
