// Map of the atlas: the tile pyramids of all levels as layered OpenSeadragon images on the unit square. The next level
// loads invisibly, replaces the current one and crossfades.

import OpenSeadragon from "openseadragon";
import { styleOf } from "../data/icon-styles";
import type { AtlasEntry, LevelEntry } from "../data/manifest";
import type { View } from "../state/state";
import { Crossfade } from "./crossfade";
import type { Frame } from "./frame";
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
const MAX_WAIT_MS = 1500;
const REMOVE_AFTER_MS = 400;
const ZOOM_STEP = 1.5;
const MAX_SCALE = 8; // relative to the pixels of the images
const MAX_SCALE_LARGE = 2; // the same where an image is made of large icons

interface ShownImage {
  readonly name: string;
  readonly item: OpenSeadragon.TiledImage;
}

export class MapView {
  readonly viewer: OpenSeadragon.Viewer;
  private readonly crossfade: Crossfade;
  private bottom = 0;
  private images: ShownImage[] = [];
  private requestedName = "";
  /** Largest side of the whole atlas on the screen, CSS pixels: that of the requested level. */
  private largestSide = Number.POSITIVE_INFINITY;
  private destroyed = false;
  /** View to restore after the resize in progress. */
  private pendingView: { readonly view: View | null } | null = null;

  constructor(
    container: HTMLElement,
    minimap: HTMLElement | null,
    private readonly reducedMotion: boolean,
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
      minZoomLevel: 0.4,
      visibilityRatio: 0.25,
      constrainDuringPan: true,
      preserveImageSizeOnResize: true,
      zoomPerScroll: 1.25,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false, dblClickToZoom: true },
      imageLoaderLimit: 8,
    } as OpenSeadragon.Options);
    this.limitZoom();
    const drawer = (): HTMLCanvasElement => this.viewer.drawer.canvas as HTMLCanvasElement;
    this.crossfade = new Crossfade(drawer, () => this.frame(), FADE_MS);
    this.viewer.canvas.append(this.crossfade.canvas);
    for (const event of ["canvas-key", "canvas-key-press"] as const) {
      this.viewer.addHandler(event as "canvas-key", (key) => {
        key.preventDefaultAction = true; // app/shortcuts.ts handles all keys
      });
    }
  }

  /** Switch to the image of a level with a crossfade. */
  show(layer: string, atlas: AtlasEntry, level: LevelEntry): void {
    const name = `${layer}/${atlas.name}/${level.size} ${styleOf(atlas)}`;
    if (name === this.requestedName) return;
    this.requestedName = name;
    this.largestSide = (level.large ? MAX_SCALE_LARGE : MAX_SCALE) * level.width;
    const { viewport } = this.viewer;
    const largest = viewport.getMaxZoom();
    if (viewport.getZoom() > largest)
      viewport.zoomTo(largest, undefined, this.reducedMotion || !this.images.length);
    const again = this.images.find((entry) => entry.name === name);
    if (again) {
      this.switchTo(again);
      return;
    }
    this.viewer.addTiledImage({
      tileSource: tileSource(layer, atlas, level),
      x: 0,
      y: 0,
      width: 1,
      opacity: this.images.length ? 0 : 1,
      preload: true,
      success: (event: Event) => {
        const added = { name, item: (event as unknown as { item: OpenSeadragon.TiledImage }).item };
        decodeTilesAsync(added.item);
        this.images.push(added);
        if (name === this.requestedName) this.switchTo(added);
        else added.item.setPreload(false); // superseded; it is removed with the next switch
      },
    } as unknown as OpenSeadragon.TileSourceSpecifier);
  }

  frame(): Frame {
    const [from, to] = [new OpenSeadragon.Point(0, 0), new OpenSeadragon.Point(1, 0)];
    const start = this.viewer.viewport.pixelFromPoint(from, true);
    return { left: start.x, top: start.y, side: this.viewer.viewport.pixelFromPoint(to, true).x - start.x };
  }

  view(): View {
    const bounds = this.viewer.viewport.getBounds();
    const center = bounds.getCenter();
    return { x: center.x, y: center.y, span: Math.min(bounds.width, bounds.height) };
  }

  /** Move to a view, or to the whole atlas for null. */
  go(view: View | null, immediately = this.reducedMotion): void {
    if (this.pendingView) this.pendingView = { view };
    const bounds = view
      ? new OpenSeadragon.Rect(view.x - view.span / 2, view.y - view.span / 2, view.span, view.span)
      : this.homeBounds();
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

  /** Restore the view after the element has changed its size. */
  keepViewOnResize(): void {
    this.pendingView = { view: this.showsWholeAtlas() ? null : this.view() };
    this.viewer.forceResize();
    this.viewer.addOnceHandler("resize", () => {
      this.viewer.addOnceHandler("viewport-change", () => {
        const { pendingView } = this;
        this.pendingView = null;
        if (pendingView) this.go(pendingView.view, true);
      });
    });
  }

  /** Reserve space below the whole atlas, in units of its side; moves the map if the whole atlas is shown. */
  reserveBottom(bottom: number): void {
    if (bottom === this.bottom) return;
    const whole = this.showsWholeAtlas();
    this.bottom = bottom;
    if (whole) this.go(null, true);
  }

  /** Whether the view is that of `go(null)`. */
  private showsWholeAtlas(): boolean {
    const [home, now] = [this.homeBounds(), this.viewer.viewport.getBounds()];
    const apart = home.getCenter().distanceTo(now.getCenter());
    const wider = Math.min(now.width / home.width, now.height / home.height);
    return apart < TOLERANCE && Math.abs(wider - 1) < TOLERANCE;
  }

  private homeBounds(): OpenSeadragon.Rect {
    const whole = 1 + 2 * MARGIN;
    return new OpenSeadragon.Rect(-MARGIN, -MARGIN, whole, whole + this.bottom);
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
    const delta = this.viewer.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(right, down), true);
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
    this.requestedName = ""; // cancels pending switches
    this.viewer.destroy();
  }

  /**
   * Stop zooming in where the requested level has no more detail; the whole atlas can always be seen. OpenSeadragon's own
   * limit is that of the widest image loaded so far, whichever is shown.
   */
  private limitZoom(): void {
    const { viewport } = this.viewer;
    viewport.getMaxZoom = () =>
      Math.max(this.largestSide / viewport.getContainerSize().x, viewport.getHomeZoom());
  }

  /**
   * Load an image invisibly, then switch to it. Drawing an image half transparent would cost several times as much in
   * every frame.
   */
  private switchTo(entry: ShownImage): void {
    const start = performance.now();
    for (const { item } of this.images)
      if (item !== entry.item && item.getOpacity() === 0) item.setPreload(false);
    entry.item.setPreload(true);
    entry.item.update(true); // while hidden it did not follow the view, so its loaded tiles are of another one
    const step = (now: number): void => {
      if (entry.name !== this.requestedName) return;
      if (!entry.item.getFullyLoaded() && now - start < MAX_WAIT_MS) {
        requestAnimationFrame(step);
        return;
      }
      if (!this.reducedMotion && this.images.length > 1) this.crossfade.start();
      entry.item.setOpacity(1);
      this.hideOthers(entry);
    };
    step(start);
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

  /** Remove a hidden image once no more tiles arrive for it; OpenSeadragon would log an error. */
  private removeWhenLoaded(item: OpenSeadragon.TiledImage): void {
    setTimeout(() => {
      if (this.destroyed) return;
      if (isLoading(item)) this.removeWhenLoaded(item);
      else this.viewer.world.removeItem(item);
    }, REMOVE_AFTER_MS);
  }
}
