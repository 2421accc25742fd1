// Handing a file to the browser to keep.

import { el } from "./dom";

const KEPT_MS = 60_000; // browsers read the content a while after the click

export function download(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  el("a", { href: address, download: fileName(name) }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}

/** A name that every file system takes: layers and atlases may be called anything. */
function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+/, "");
}
