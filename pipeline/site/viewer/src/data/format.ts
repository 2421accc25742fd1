// Formatting and parsing of numbers.

const integers = new Intl.NumberFormat("en-US");

export function count(value: number, one: string, many = `${one}s`): string {
  return `${integers.format(value)} ${value === 1 ? one : many}`;
}

/** Two decimals and a minus sign; a dash for NaN. */
export function decimal(value: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(2).replace("-", "−");
}

/** Activation: three significant digits, without an exponent. */
export function activation(value: number): string {
  const digits = Math.min(2, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));
  return value.toFixed(digits).replace("-", "−");
}

/** Attribution with its sign; small values have two significant digits. */
export function signed(value: number): string {
  const size = Math.abs(value);
  const text = size >= 0.1 || size === 0 ? size.toFixed(2) : size.toPrecision(2);
  return value < 0 ? `−${text}` : `+${text}`;
}

/** Up to three significant digits; an exponent for what is tiny, a dash for NaN. */
export function significant(value: number): string {
  if (Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const text = size >= 1000 ? integers.format(Math.round(value)) : String(Number(value.toPrecision(3)));
  return text.replaceAll("-", "−");
}

export function percent(share: number): string {
  return share > 0 && share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`;
}

/** Share as a percentage; small values have two significant digits. */
export function share(value: number): string {
  const size = 100 * value;
  return `${size >= 1 ? size.toFixed(1) : Number(size.toPrecision(2))} %`;
}

/** Non-negative integer in decimal digits; NaN for any other text. */
export function parseInteger(text: string | null | undefined): number {
  return /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
}
