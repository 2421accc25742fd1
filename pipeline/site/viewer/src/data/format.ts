// Numbers as people read them.

const integers = new Intl.NumberFormat("en-US");

export function count(value: number, one: string, many = `${one}s`): string {
  return `${integers.format(value)} ${value === 1 ? one : many}`;
}

/** Two decimals and a true minus sign; a dash where there is no number. */
export function decimal(value: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(2).replace("-", "−");
}

/** An attribution with its sign; small ones keep two significant digits. */
export function signed(value: number): string {
  const size = Math.abs(value);
  const text = size >= 0.1 || size === 0 ? size.toFixed(2) : size.toPrecision(2);
  return value < 0 ? `−${text}` : `+${text}`;
}

export function percent(share: number): string {
  return share > 0 && share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`;
}

/** A share as a percentage that keeps two significant digits where it is small. */
export function share(value: number): string {
  const size = 100 * value;
  return `${size >= 1 ? size.toFixed(1) : Number(size.toPrecision(2))} %`;
}

// Whole numbers in links.

/** The number that a text writes in digits alone; NaN for any other text, the empty one too. */
export function parseInteger(text: string | null | undefined): number {
  return /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
}
