// Tables as text that every spreadsheet reads: RFC 4180 in UTF-8.

/** Text, a number, or nothing. */
export type Field = string | number | null;

/** A mark of order, by which spreadsheets know that the text is UTF-8. */
const MARK = "\uFEFF";
const LINE = "\r\n";
const DIGITS = 6; // of what is not whole: the page's own numbers have no more

export function csv(head: readonly string[], rows: Iterable<readonly Field[]>): string {
  const lines = [head, ...rows].map((fields) => fields.map(field).join(","));
  return MARK + lines.join(LINE) + LINE;
}

function field(value: Field): string {
  if (value === null || Number.isNaN(value)) return "";
  if (typeof value === "string") return quoted(harmless(value));
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS)));
}

/** An apostrophe before what a spreadsheet would run as a formula (OWASP, "CSV Injection"). */
function harmless(text: string): string {
  return /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
