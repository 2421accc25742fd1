// Data files are classic scripts that assign their content to `self.atlasParts`: a page opened from disk may run
// scripts, but may not fetch files.

declare global {
  var atlasParts: Record<string, unknown> | undefined;
}

const scripts = new Map<string, Promise<unknown>>();

/** Content that a script has already assigned. */
export function takeData(name: string, url = `data/${name}.js`): unknown {
  const content = globalThis.atlasParts?.[name];
  if (content === undefined)
    throw new Error(`${url}: expected the data file to define its content, found none`);
  delete globalThis.atlasParts?.[name];
  return content;
}

/** Load `data/<name>.js`, once per name. */
export function loadData<Content>(name: string): Promise<Content> {
  return loadDataAt(`data/${name}`);
}

/** Load the content of `<address>.js`; its name is the address relative to `data/`, or else to the page. */
export function loadDataAt<Content>(url: string): Promise<Content> {
  return loadDataFrom(`${url}.js`, url.replace(/^data\//, ""));
}

/** Load the content `name` from the script at `address`, relative to the page; once per name. */
export function loadDataFrom<Content>(url: string, name: string): Promise<Content> {
  let promise = scripts.get(name);
  if (!promise) {
    promise = loadScript(url, name);
    promise.catch(() => scripts.delete(name));
    scripts.set(name, promise);
  }
  return promise as Promise<Content>;
}

function loadScript(url: string, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      script.remove();
      try {
        resolve(takeData(name, url));
      } catch (error) {
        reject(error);
      }
    };
    script.onerror = () => reject(new Error(`${url} cannot be loaded`));
    document.head.append(script);
  });
}

/** `load` with its results cached by name; failed loads are not cached, so that they are repeated. */
export function memoize<Content>(
  load: (name: string) => Promise<Content>,
): (name: string) => Promise<Content> {
  const cache = new Map<string, Promise<Content>>();
  return (name) => {
    let promise = cache.get(name);
    if (!promise) {
      promise = load(name);
      promise.catch(() => cache.delete(name));
      cache.set(name, promise);
    }
    return promise;
  };
}

// Arrays as the stage `site` encodes them: little-endian numbers, deflated, in base64.

export interface EncodedArray {
  readonly type: keyof typeof TYPES;
  readonly shape: readonly number[];
  readonly data: string;
}

export type NumberArray =
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
  float32: Float32Array,
} as const;

/** Numbers of an encoded array, in row-major order. */
export async function decodeArray(packed: EncodedArray): Promise<NumberArray> {
  return new TYPES[packed.type](await inflate(packed.data));
}

function inflate(base64: string): Promise<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at); // much faster than Uint8Array.from
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
