// Data files are classic scripts that leave their content in `self.atlasParts`: a page opened from disk may run
// scripts beside it, but may not fetch anything.

declare global {
  var atlasParts: Record<string, unknown> | undefined;
}

const loading = new Map<string, Promise<unknown>>();

/** The part of this name that a script has already left. */
export function takePart(name: string): unknown {
  const content = globalThis.atlasParts?.[name];
  if (content === undefined) throw new Error(`data/${name}.js did not say anything`);
  delete globalThis.atlasParts?.[name];
  return content;
}

/** Load `data/<name>.js`, once for each name. */
export function loadPart<Content>(name: string): Promise<Content> {
  let found = loading.get(name);
  if (!found) {
    found = runScript(name);
    found.catch(() => loading.delete(name));
    loading.set(name, found);
  }
  return found as Promise<Content>;
}

function runScript(name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    script.onload = () => {
      script.remove();
      try {
        resolve(takePart(name));
      } catch (error) {
        reject(error);
      }
    };
    script.onerror = () => reject(new Error(`data/${name}.js cannot be loaded`));
    document.head.append(script);
  });
}
