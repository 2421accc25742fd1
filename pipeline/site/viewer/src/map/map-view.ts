// Map of the atlas: the tile pyramids of all levels as layered OpenSeadragon images on the unit square. The next level
// loads invisibly; then it replaces the current one and crossfades.

import OpenSeadragon from "openseadragon";
import type { LevelImage } from "../data/tiles";
import type { View } from "../state/state";
import { Crossfade } from "./crossfade";
import type { Frame } from "./frame";
import { freeRectangle, type Obstacles, type Rectangle } from "./obstacles";
import { decodeTilesAsync, isLoading, preventStyleInjection, tileSource } from "./tile-source";

/** Center and zoom of a map, independent of the window size. */
export interface ViewPosition {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

const MARGIN = 0.04;
const TOLERANCE = 0.002;
const FADE_MS = 280;
const REMOVE_AFTER_MS = 400;
const ZOOM_STEP = 1.5;
const MAX_SCALE = 8; // relative to the pixels of the images
const MAX_SCALE_LARGE = 2; // the same where an image is made of large icons
const MIN_ZOOM = 0.4; // width of the window, in units of the atlas's side; less where the whole atlas needs it

/** Size of the window and position of the whole atlas in it, CSS pixels. */
export interface Window {
  readonly width: number;
  readonly height: number;
  readonly frame: Frame;
}

interface ShownImage {
  readonly name: string;
  readonly item: OpenSeadragon.TiledImage;
  /** Of a tile since the last time that the image was asked for. */
  failure: Error | null;
}

export class MapView {
  readonly viewer: OpenSeadragon.Viewer;
  private readonly crossfade: Crossfade;
  /** CSS pixels below the whole atlas. */
  private bottom = 0;
  /** What the window shows of the whole atlas, in its present size. */
  private home: OpenSeadragon.Rect;
  /** Obstacles of a map that shows the same view beside this one. */
  private companion: Obstacles | null = null;
  /** A map beside this one whose position it takes after a change of its size. */
  private leader: MapView | null = null;
  private readonly layoutListeners: ((before: Window) => void)[] = [];
  private images: ShownImage[] = [];
  /** Images that are being added, by name. */
  private readonly added = new Map<string, Promise<ShownImage>>();
  private shownName = "";
  /** Of the image that is loaded in order to be shown, or of the shown one. */
  private requestedName = "";
  /** Largest side of the whole atlas on the screen, CSS pixels: that of the shown level. */
  private largestSide = Number.POSITIVE_INFINITY;
  private destroyed = false;

  constructor(
    container: HTMLElement,
    minimap: HTMLElement | null,
    private readonly reducedMotion: boolean,
    private readonly obstacles: Obstacles,
    private readonly reportError: (error: unknown) => void,
  ) {
    preventStyleInjection();
    this.viewer = OpenSeadragon({
      element: container,
      drawer: "canvas",
      navigatorDrawer: "canvas",
      preserveViewport: true,
      showNavigationControl: false,
      showNavigator: minimap !== null,
      ...(minimap && { navigatorElement: minimap }),
      navigatorDisplayRegionColor: "currentColor",
      animationTime: reducedMotion ? 0 : 0.7,
      springStiffness: 8,
      blendTime: reducedMotion ? 0 : 0.15,
      smoothTileEdgesMinZoom: Number.POSITIVE_INFINITY, // otherwise the whole window is drawn twice; tiles overlap anyway
      visibilityRatio: 0.25,
      constrainDuringPan: true,
      autoResize: false, // `layOut` does it
      clickTimeThreshold: 2000, // a slow press, or one on a busy machine, is a click as long as the pointer stays
      zoomPerScroll: 1.25,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false, dblClickToZoom: true },
      imageLoaderLimit: 8,
    } as OpenSeadragon.Options);
    this.viewer.addHandler("tile-load-failed", ({ tiledImage, tile }) =>
      this.tileFailed(tiledImage, (tile as unknown as { getUrl(): string }).getUrl()),
    );
    this.limitZoom();
    this.home = this.homeBounds();
    obstacles.onChange(() => this.layOut());
    const drawer = (): HTMLCanvasElement => this.viewer.drawer.canvas as HTMLCanvasElement;
    this.crossfade = new Crossfade(drawer, () => this.frame(), FADE_MS);
    this.viewer.canvas.append(this.crossfade.canvas);
    for (const event of ["canvas-key", "canvas-key-press"] as const) {
      this.viewer.addHandler(event as "canvas-key", (key) => {
        key.preventDefaultAction = true; // app/shortcuts.ts handles all keys
      });
    }
  }

  /**
   * Load the image of a level unseen, as far as the window shows it.
   *
   * Resolves early if another image is requested meanwhile; rejects if a tile cannot be loaded.
   */
  async load(image: LevelImage): Promise<void> {
    const name = image.folder;
    this.requestedName = name;
    if (name === this.shownName) return;
    const entry = await this.add(image);
    if (name !== this.requestedName) return;
    for (const { item } of this.images)
      if (item !== entry.item && item.getOpacity() === 0) item.setPreload(false);
    entry.failure = null;
    entry.item.setPreload(true);
    entry.item.update(true); // while hidden it did not follow the view, so its loaded tiles are of another one
    try {
      await this.untilLoaded(entry);
    } catch (error) {
      this.remove(entry); // OpenSeadragon asks for no tile twice
      throw error;
    }
  }

  /** Switch to the image of a level with a crossfade. */
  show(image: LevelImage): void {
    const name = image.folder;
    if (name === this.shownName) return;
    this.shownName = this.requestedName = name;
    this.largestSide = (image.large ? MAX_SCALE_LARGE : MAX_SCALE) * image.side;
    const { viewport } = this.viewer;
    const largest = viewport.getMaxZoom();
    if (viewport.getZoom() > largest)
      viewport.zoomTo(largest, undefined, this.reducedMotion || !this.images.length);
    const there = this.images.find((entry) => entry.name === name);
    if (there) this.switchTo(there);
    else this.add(image).then((entry) => name === this.shownName && this.switchTo(entry), this.reportError);
  }

  private add(image: LevelImage): Promise<ShownImage> {
    const name = image.folder;
    const there = this.images.find((entry) => entry.name === name);
    if (there) return Promise.resolve(there);
    const adding =
      this.added.get(name) ??
      new Promise<ShownImage>((resolve, reject) => {
        this.viewer.addTiledImage({
          tileSource: tileSource(image),
          x: 0,
          y: 0,
          width: 1,
          opacity: this.images.length ? 0 : 1,
          preload: true,
          success: (event: Event) => {
            const { item } = event as unknown as { item: OpenSeadragon.TiledImage };
            const entry: ShownImage = { name, item, failure: null };
            decodeTilesAsync(item);
            this.added.delete(name);
            this.images.push(entry);
            resolve(entry);
          },
          error: () => {
            this.added.delete(name);
            reject(new Error(`${name}: the image cannot be loaded`));
          },
        } as unknown as OpenSeadragon.TileSourceSpecifier);
      });
    this.added.set(name, adding);
    return adding;
  }

  private untilLoaded(entry: ShownImage): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        if (entry.failure) reject(entry.failure);
        else if (entry.item.getFullyLoaded() || entry.name !== this.requestedName || this.destroyed)
          resolve();
        else requestAnimationFrame(step);
      };
      step();
    });
  }

  /** A tile that cannot be loaded fails the load of its image; in the shown image it leaves a gap, which is reported. */
  private tileFailed(item: unknown, url: string): void {
    const error = new Error(`${url} cannot be loaded`);
    const entry = this.images.find((each) => each.item === item);
    if (!entry) return;
    entry.failure = error;
    if (entry.name === this.shownName) this.reportError(error);
  }

  /** Position of the whole atlas now, or after the movement in progress. */
  frame(now = true): Frame {
    const [from, to] = [new OpenSeadragon.Point(0, 0), new OpenSeadragon.Point(1, 0)];
    const start = this.viewer.viewport.pixelFromPoint(from, now);
    return { left: start.x, top: start.y, side: this.viewer.viewport.pixelFromPoint(to, now).x - start.x };
  }

  view(): View {
    const bounds = this.viewer.viewport.getBounds();
    const center = bounds.getCenter();
    return { x: center.x, y: center.y, span: Math.min(bounds.width, bounds.height) };
  }

  /** Move to a view, or to the whole atlas for null. */
  go(view: View | null, immediately = this.reducedMotion): void {
    const bounds = view
      ? new OpenSeadragon.Rect(view.x - view.span / 2, view.y - view.span / 2, view.span, view.span)
      : this.home;
    this.viewer.viewport.fitBounds(bounds, immediately);
  }

  /** Current center, in units of the atlas's side, and side of the whole atlas, CSS pixels. */
  position(): ViewPosition {
    const { viewport } = this.viewer;
    const { x, y } = viewport.getCenter(true);
    return { x, y, side: viewport.getZoom(true) * viewport.getContainerSize().x };
  }

  /** Jump to a position. */
  setPosition({ x, y, side }: ViewPosition): void {
    const { viewport } = this.viewer;
    viewport.zoomTo(side / viewport.getContainerSize().x, undefined, true);
    viewport.panTo(new OpenSeadragon.Point(x, y), true);
  }

  /**
   * Follow a change of the window's size or of the elements in front of it: the whole atlas is fitted into what they leave
   * free, any other view keeps its center and span.
   */
  layOut(): void {
    if (this.destroyed) return;
    const { viewport, container } = this.viewer;
    const { clientWidth, clientHeight } = container;
    if (!clientWidth || !clientHeight) return;
    const size = new OpenSeadragon.Point(clientWidth, clientHeight);
    const before = this.window;
    const view = this.showsWholeAtlas() ? null : this.view();
    const resized = !size.equals(viewport.getContainerSize());
    if (resized) viewport.resize(size, true);
    if (this.leader) {
      if (resized) this.setPosition(this.leader.position());
      return;
    }
    const home = this.homeBounds();
    if (!resized && home.equals(this.home)) return;
    this.home = home;
    if (resized || !view) this.go(view, true);
    this.viewer.forceRedraw();
    for (const listener of this.layoutListeners) listener(before);
    this.drawNow();
    this.viewer.raiseEvent("update-viewport", {}); // the overlay moves with the picture
  }

  /** Call back after the map has followed such a change, with its window before. */
  onLayout(listener: (before: Window) => void): void {
    this.layoutListeners.push(listener);
  }

  /** The window, and where the whole atlas is in it once it rests. */
  get window(): Window {
    const { x: width, y: height } = this.viewer.viewport.getContainerSize();
    return { width, height, frame: this.frame(false) };
  }

  /** Keep the whole atlas clear of what is in front of another map of this size, too, which takes this one's position. */
  lead(companion: MapView | null): void {
    if (companion) companion.leader = this;
    this.companion = companion?.obstacles ?? null;
    this.companion?.onChange(() => this.layOut());
    this.layOut();
  }

  /** Reserve space below the whole atlas, CSS pixels. */
  reserveBottom(bottom: number): void {
    if (bottom === this.bottom) return;
    this.bottom = bottom;
    this.layOut();
  }

  /** The elements in front of the map, in CSS pixels of it. */
  get inFront(): readonly Rectangle[] {
    return [...this.obstacles.rectangles, ...(this.companion?.rectangles ?? [])];
  }

  /** Side of the whole atlas where it is shown as a whole, CSS pixels. */
  get homeSide(): number {
    return this.viewer.viewport.getContainerSize().x / this.home.width;
  }

  /** Whether the view is that of `go(null)`. */
  showsWholeAtlas(): boolean {
    const [home, now] = [this.home, this.viewer.viewport.getBounds()];
    const apart = home.getCenter().distanceTo(now.getCenter());
    return apart < TOLERANCE && Math.abs(now.width / home.width - 1) < TOLERANCE;
  }

  /** The window around the whole atlas, which is as large as the obstacles allow and as central. */
  private homeBounds(): OpenSeadragon.Rect {
    const { x: width, y: height } = this.viewer.viewport.getContainerSize();
    const whole = 1 + 2 * MARGIN;
    const side = (wide: number, high: number): number =>
      Math.max(Math.min(wide, high - this.bottom), 1) / whole;
    const free = freeRectangle(width, height, this.inFront, side);
    const [wide, high] = [free.right - free.left, free.bottom - free.top];
    const fitted = side(wide, high);
    const left = central(width, free.left, free.right, fitted * whole);
    const top = central(height, free.top, free.bottom, fitted * whole + this.bottom);
    return new OpenSeadragon.Rect(
      -left / fitted - MARGIN,
      -top / fitted - MARGIN,
      width / fitted,
      height / fitted,
    );
  }

  /** Pan by a share of the window. */
  pan(right: number, down: number): void {
    const bounds = this.viewer.viewport.getBounds();
    this.viewer.viewport.panBy(
      new OpenSeadragon.Point(right * bounds.width, down * bounds.height),
      this.reducedMotion,
    );
    this.viewer.viewport.applyConstraints(this.reducedMotion);
  }

  zoom(steps: number): void {
    this.viewer.viewport.zoomBy(ZOOM_STEP ** steps, undefined, this.reducedMotion);
    this.viewer.viewport.applyConstraints(this.reducedMotion);
  }

  /** Pan by CSS pixels. */
  shift(right: number, down: number): void {
    const delta = this.viewer.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(right, down));
    this.viewer.viewport.panBy(delta, this.reducedMotion);
  }

  /** Call back before the map is drawn at a new position. */
  onMove(action: () => void): void {
    this.viewer.addHandler("update-viewport", action);
    this.viewer.addHandler("resize", action);
  }

  /** Call back after a movement has ended. */
  onRest(action: () => void): void {
    this.viewer.addHandler("animation-finish", action);
  }

  /** Destroy the map. */
  destroy(): void {
    this.destroyed = true;
    this.requestedName = this.shownName = ""; // cancels pending switches
    this.destroyWhenLoaded();
  }

  /** OpenSeadragon would log an error for each tile that arrives later. */
  private destroyWhenLoaded(): void {
    if (this.images.some(({ item }) => isLoading(item)))
      setTimeout(() => this.destroyWhenLoaded(), REMOVE_AFTER_MS);
    else this.viewer.destroy();
  }

  /**
   * Stop zooming in where the requested level has no more detail; the whole atlas can always be seen. OpenSeadragon's own
   * limit is that of the widest image loaded so far, whichever is shown.
   */
  private limitZoom(): void {
    const { viewport } = this.viewer;
    viewport.getMaxZoom = () =>
      Math.max(this.largestSide / viewport.getContainerSize().x, 1 / this.home.width);
    viewport.getMinZoom = () => Math.min(MIN_ZOOM, 1 / this.home.width);
  }

  /** Drawing an image half transparent would cost several times as much in every frame. */
  private switchTo(entry: ShownImage): void {
    if (!this.reducedMotion && this.images.length > 1) this.crossfade.start();
    entry.item.setPreload(true);
    entry.item.setOpacity(1);
    this.hideOthers(entry);
    this.drawNow();
  }

  /** Draw at once: the rest of the page has changed already, and OpenSeadragon may have drawn its part of this frame. */
  private drawNow(): void {
    const { world } = this.viewer as unknown as { world: { update(moved: boolean): void; draw(): void } };
    world.update(true);
    world.draw();
  }

  private hideOthers(entry: ShownImage): void {
    const scope = entry.name.slice(0, entry.name.lastIndexOf("/"));
    for (const other of this.images) {
      if (other === entry) continue;
      other.item.setOpacity(0);
      other.item.setPreload(false);
      if (!other.name.startsWith(`${scope}/`)) this.removeWhenLoaded(other.item);
    }
    this.images = this.images.filter((other) => other.name.startsWith(`${scope}/`));
  }

  private remove(entry: ShownImage): void {
    this.images = this.images.filter((other) => other !== entry);
    entry.item.setPreload(false);
    this.removeWhenLoaded(entry.item);
  }

  /** Remove a hidden image once no more tiles arrive for it; OpenSeadragon would log an error. */
  private removeWhenLoaded(item: OpenSeadragon.TiledImage): void {
    setTimeout(() => {
      if (this.destroyed) return;
      if (isLoading(item)) this.removeWhenLoaded(item);
      else this.viewer.world.removeItem(item);
    }, REMOVE_AFTER_MS);
  }
}

/** Where a part begins that lies in the middle of a length, or as near to it as its bounds allow. */
function central(length: number, from: number, to: number, part: number): number {
  return Math.min(Math.max((length - part) / 2, from), Math.max(to - part, from));
}
