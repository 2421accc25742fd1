// Things that are loaded once.

/** `load`, asked once for each name; what failed is forgotten, so that it is tried again. */
export function remember<Content>(
  load: (name: string) => Promise<Content>,
): (name: string) => Promise<Content> {
  const known = new Map<string, Promise<Content>>();
  return (name) => {
    let found = known.get(name);
    if (!found) {
      found = load(name);
      found.catch(() => known.delete(name));
      known.set(name, found);
    }
    return found;
  };
}
