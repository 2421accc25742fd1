// Arrays as the stage `site` packs them: deflated little-endian numbers in base64.

export interface Packed {
  readonly type: keyof typeof TYPES;
  readonly shape: readonly number[];
  readonly scale: number | null;
  readonly data: string;
}

export type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array;

const TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
} as const;
const NOT_A_NUMBER = -32768;

/** The numbers of a packed array, in row-major order. */
export async function unpack(packed: Packed): Promise<Numbers> {
  const codes = new TYPES[packed.type](await inflate(packed.data));
  const { scale } = packed;
  if (scale === null) return codes;
  return Float32Array.from(codes, (code) => (code === NOT_A_NUMBER ? Number.NaN : code * scale));
}

function inflate(base64: string): Promise<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at); // far quicker than Uint8Array.from
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
