// Whole numbers in links.

/** The number that a text writes in digits alone; NaN for any other text, the empty one too. */
export function whole(text: string | null | undefined): number {
  return /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
}
