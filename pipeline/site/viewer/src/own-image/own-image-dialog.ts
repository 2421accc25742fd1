// Dialog that takes an image: by file, by drop or by paste. Without the local server it says what it needs.

import { largestImage } from "../data/located-image";
import type { Manifest } from "../data/manifest";
import { createCopyableText } from "../panels/provenance";
import { createDialog } from "../ui/controls";
import { el } from "../ui/dom";
import { createPictureIcon } from "./own-image-panel";

export class OwnImageDialog {
  private readonly dialogParts = createDialog("own-image-dialog");

  constructor(manifest: Manifest, receive: (image: File) => void) {
    this.dialogParts.heading.textContent = "Try your image";
    this.dialogParts.body.append(
      ...(largestImage() === null
        ? createAdvice()
        : [createIntroduction(manifest), this.createInput(receive)]),
    );
  }

  get dialog(): HTMLDialogElement {
    return this.dialogParts.dialog;
  }

  open(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }

  private createInput(receive: (image: File) => void): HTMLElement {
    const input = el("input", { type: "file", accept: "image/*", class: "visually-hidden", autofocus: true });
    input.addEventListener("change", () => {
      const [image] = input.files ?? [];
      input.value = ""; // so that the same file can be chosen again
      if (image) receive(image);
    });
    return el(
      "label",
      { class: "drop-zone" },
      createPictureIcon(),
      el("span", { class: "choose" }, "Choose an image"),
      input,
      el("span", { class: "secondary" }, "or drop one anywhere on the page, or paste one"),
    );
  }
}

function createIntroduction({ network }: Manifest): HTMLElement {
  return el(
    "p",
    {},
    `${network.name} runs once on your image. The map then marks the cells that the positions of the image resemble ` +
      "most. The image goes to the server on this machine only, and is not stored.",
  );
}

function createAdvice(): HTMLElement[] {
  return [
    el(
      "p",
      {},
      "This needs the network, and this page is a folder of files without one. Start the local server in the folder of " +
        "the project that the page was made in, the one with dvc.yaml and outputs, and try again on the page that it opens:",
    ),
    createCopyableText("atlas browse"),
    el("p", { class: "secondary" }, "The server runs on your machine. Your image goes nowhere else."),
  ];
}

/** Take images that are dropped or pasted anywhere on the page. */
export function listenForImages(receive: (image: File) => void): void {
  const { dataset } = document.documentElement;
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    dataset.dropping = "";
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) delete dataset.dropping; // it left the window
  });
  document.addEventListener("drop", (event) => {
    delete dataset.dropping;
    if (!hasFiles(event)) return;
    event.preventDefault(); // else the browser would show the file in place of the page
    const [image] = event.dataTransfer?.files ?? [];
    if (image) receive(image);
  });
  document.addEventListener("paste", (event) => {
    const [image] = event.clipboardData?.files ?? [];
    if (!image) return;
    event.preventDefault();
    receive(image);
  });
}
