// Data files are classic scripts that leave their content in `self.atlasParts`: a page opened from disk may run
// scripts beside it, but may not fetch anything.

declare global {
  var atlasParts: Record<string, unknown> | undefined;
}

const loading = new Map<string, Promise<unknown>>();

/** The part of this name that a script has already left. */
export function takePart(name: string, address = `data/${name}.js`): unknown {
  const content = globalThis.atlasParts?.[name];
  if (content === undefined) throw new Error(`${address} did not say anything`);
  delete globalThis.atlasParts?.[name];
  return content;
}

/** Load `data/<name>.js`, once for each name. */
export function loadPart<Content>(name: string): Promise<Content> {
  return loadPartAt(`data/${name}`);
}

/** Load the part at `<address>.js`, whose name is the address below `data/`, or else below the page. */
export function loadPartAt<Content>(address: string): Promise<Content> {
  return loadPartFrom(`${address}.js`, address.replace(/^data\//, ""));
}

/** Load the part `name` from a script that lies at `address`, relative to the page; once for each name. */
export function loadPartFrom<Content>(address: string, name: string): Promise<Content> {
  let found = loading.get(name);
  if (!found) {
    found = runScript(address, name);
    found.catch(() => loading.delete(name));
    loading.set(name, found);
  }
  return found as Promise<Content>;
}

function runScript(address: string, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => {
      script.remove();
      try {
        resolve(takePart(name, address));
      } catch (error) {
        reject(error);
      }
    };
    script.onerror = () => reject(new Error(`${address} cannot be loaded`));
    document.head.append(script);
  });
}
