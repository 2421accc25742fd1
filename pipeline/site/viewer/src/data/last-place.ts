// Where one was in the atlas, for the links back to it from the other pages; the browser keeps it as long as the tab.

const KEY = `atlas-last-place:${location.pathname.replace(/[^/]*$/, "")}`; // pages opened from disk share one storage

/** `hash` is that of the atlas page. */
export function rememberPlace(hash: string): void {
  try {
    sessionStorage.setItem(KEY, hash);
  } catch {
    // no storage, or it is full: the links then lead to the start
  }
}

/** Address of the atlas as it was last shown in this tab; `otherwise` is its hash where it was not. */
export function atlasAddress(otherwise = ""): string {
  try {
    return `index.html${sessionStorage.getItem(KEY) ?? otherwise}`;
  } catch {
    return `index.html${otherwise}`;
  }
}
