// Try your image: the local server runs the network on an image of the user's own; the map and a panel show where its
// positions fall. It is no part of the page's state, as a link cannot hold an image.

import { describePosition } from "../data/area";
import { count } from "../data/format";
import { styleOf } from "../data/icon-styles";
import { type LocatedImage, largestImage, locateImage } from "../data/located-image";
import type { Manifest } from "../data/manifest";
import type { Overlay } from "../map/overlay";
import type { Viewport } from "../map/viewport";
import type { Scene, SceneStore } from "../state/scene";
import { announce } from "../ui/accessibility";
import { createButton } from "../ui/dom";
import { CellMarks } from "./cell-marks";
import { listenForImages, OwnImageDialog } from "./own-image-dialog";
import { createPictureIcon, OwnImagePanel } from "./own-image-panel";

export interface OwnImageActions {
  pin(cell: number): void;
  choose(classId: number, add: boolean): void;
  /** Focus the map. */
  onClose(): void;
  reportError(error: unknown): void;
}

/** Button that opens the dialog. */
export function createOwnImageButton(open: () => void): HTMLButtonElement {
  return createButton("Try your image", createPictureIcon(), open);
}

export class OwnImage {
  private readonly own: OwnImageDialog;
  private readonly panel: OwnImagePanel;
  private readonly marks: CellMarks;
  private second: SecondMapMarks | null = null;
  private image: File | null = null;
  private located: LocatedImage | null = null;
  /** What the panel shows, or asks for: level and style. */
  private shownKey = "";
  private request = new AbortController();

  constructor(
    manifest: Manifest,
    private readonly scenes: SceneStore,
    private readonly overlay: Overlay,
    private readonly viewport: Viewport,
    private readonly page: HTMLElement,
    private readonly actions: OwnImageActions,
  ) {
    this.own = new OwnImageDialog(manifest, (image) => this.receive(image));
    this.panel = new OwnImagePanel(manifest, {
      close: () => this.close(),
      again: () => this.open(),
      mark: (cell, reveal) => this.mark(cell, reveal),
      pin: actions.pin,
      choose: actions.choose,
    });
    this.marks = new CellMarks(overlay);
    overlay.onMark(() => this.located && this.panel.mark(overlay.marked));
    scenes.onChange((scene) => this.sceneChanged(scene));
    listenForImages((image) => this.receive(image));
  }

  get dialog(): HTMLDialogElement {
    return this.own.dialog;
  }

  open(): void {
    this.own.open();
  }

  /** Mark the image in a second map too; null once that is closed. */
  showSecondMap(map: { readonly scenes: SceneStore; readonly overlay: Overlay } | null): void {
    this.second?.end();
    this.second =
      map &&
      new SecondMapMarks(map.scenes, map.overlay, (error) => {
        if (this.located) this.actions.reportError(error); // else the panel says what is wrong with the image
      });
    this.second?.show(this.image);
  }

  /** End it; false if no image is shown. */
  close(): boolean {
    if (!this.image) return false;
    this.request.abort();
    this.image = null;
    this.located = null;
    this.shownKey = "";
    this.marks.show(null);
    this.second?.show(null);
    this.panel.element.remove();
    delete document.documentElement.dataset.ownImage;
    announce("Your image is closed.");
    this.actions.onClose();
    return true;
  }

  private receive(image: File): void {
    if (largestImage() === null) {
      this.open(); // it says what this needs
      return;
    }
    this.own.dialog.close();
    this.image = image;
    document.documentElement.dataset.ownImage = "";
    if (!this.panel.element.isConnected) this.page.append(this.panel.element);
    if (this.scenes.current) this.ask(this.scenes.current);
    this.second?.show(image);
  }

  private sceneChanged(scene: Scene): void {
    if (!this.image) return;
    const { located } = this;
    if (located?.level.name !== scene.level.name) this.ask(scene);
    else if (this.shownKey !== keyOf(scene)) this.show(scene, located);
  }

  /** Ask where the image falls in another scene; the latest answer is shown. */
  private ask(scene: Scene): void {
    const { image } = this;
    if (!image) return;
    this.request.abort();
    const request = new AbortController();
    this.request = request;
    this.located = null;
    this.marks.show(null);
    this.panel.showBusy(image.name);
    locateImage(image, scene, request.signal)
      .then((located) => {
        const now = this.scenes.current; // a class may have been highlighted in the meantime
        if (request.signal.aborted || !now || now.level.name !== scene.level.name) return;
        this.show(now, located);
        announceFound(located);
      })
      .catch((error) => {
        if (!request.signal.aborted)
          this.panel.showFailure(image.name, error instanceof Error ? error.message : String(error));
      });
  }

  private show(scene: Scene, located: LocatedImage): void {
    if (!this.image) return;
    this.located = located;
    this.shownKey = keyOf(scene);
    this.panel.show(this.image.name, scene, located);
    this.marks.show(located);
  }

  private mark(cell: number, reveal: boolean): void {
    this.overlay.mark(cell);
    if (reveal && cell >= 0) this.viewport.reveal(cell);
  }
}

/** Marks of the image in the second map, for whatever layer and level it shows. */
class SecondMapMarks {
  private readonly marks: CellMarks;
  private image: File | null = null;
  private request = new AbortController();
  private ended = false;

  constructor(
    private readonly scenes: SceneStore,
    overlay: Overlay,
    private readonly reportError: (error: unknown) => void,
  ) {
    this.marks = new CellMarks(overlay);
    scenes.onChange((scene) => this.ask(scene));
  }

  show(image: File | null): void {
    this.request.abort();
    this.image = image;
    this.marks.show(null);
    if (this.scenes.current) this.ask(this.scenes.current);
  }

  end(): void {
    this.ended = true;
    this.request.abort();
  }

  private ask(scene: Scene): void {
    const { image } = this;
    if (!image || this.ended || this.marks.level === scene.level.name) return;
    this.request.abort();
    const request = new AbortController();
    this.request = request;
    locateImage(image, scene, request.signal)
      .then((located) => {
        if (!request.signal.aborted && this.scenes.current?.level.name === scene.level.name)
          this.marks.show(located);
      })
      .catch((error) => {
        if (!request.signal.aborted) this.reportError(error);
      });
  }
}

function keyOf({ level, atlas, highlights }: Scene): string {
  return `${level.name}/${styleOf(atlas)}/${highlights.map(({ id }) => id)}`;
}

function announceFound({ level, cells, positions }: LocatedImage): void {
  const [most] = cells;
  if (!most) return;
  const place = describePosition({ row: level.row(most.cell), column: level.column(most.cell) });
  announce(
    `Your image: ${count(positions, "position")} in ${count(cells.length, "cell")}, ` +
      `${most.positions.length} of them in ${place}.`,
  );
}
