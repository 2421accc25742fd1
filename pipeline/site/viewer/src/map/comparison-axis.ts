// Places the axis of a comparison on the map, clear of page elements.

import { classNames, find, type Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { State, Store } from "../state/state";
import { type AxisColors, type AxisLabels, type Clearance, drawAxis } from "./axis";
import type { Frame } from "./frame";
import type { MapView } from "./map-view";
import type { Overlay } from "./overlay";

const AXIS_SHARE = 0.09; // of the atlas's side, sufficient except in tiny windows
const HEIGHT = 66;
const GAP = 22;
const EDGE = 16;

/** Page elements in front of the maps. */
export interface PageElements {
  readonly page: HTMLElement;
  readonly corner: HTMLElement;
  readonly zoom: HTMLElement;
  readonly panel: HTMLElement;
}

export class ComparisonAxis {
  private labels: AxisLabels | null = null;
  private colors: AxisColors | null = null;
  private theme: string | undefined = "";
  private clearance: Clearance = { left: EDGE, right: EDGE, bottom: 0 };
  private stacked = false;
  private readonly sizes = new ResizeObserver(() => this.measure());
  private readonly panels = new MutationObserver(() => this.measure());

  constructor(
    private readonly manifest: Manifest,
    private readonly mapView: MapView,
    private readonly overlay: Overlay,
    private readonly store: Store,
    private readonly pageElements: PageElements,
  ) {
    overlay.drawOnTop = (context, frame) => this.drawOnTop(context, frame);
    this.reserveAxisSpace(store.state);
    store.subscribe((state) => this.reserveAxisSpace(state));
    for (const element of [mapView.viewer.canvas, ...Object.values(pageElements)])
      this.sizes.observe(element);
    this.panels.observe(pageElements.page, { childList: true });
  }

  /** Disconnect from the page elements before the map is destroyed. */
  stop(): void {
    this.sizes.disconnect();
    this.panels.disconnect();
  }

  show({ atlas }: Scene): void {
    const [left, right] = classNames(this.manifest, atlas);
    const named = atlas.axis && left !== undefined && right !== undefined;
    this.labels = named ? { left, right, scale: atlas.axis.scale } : null;
    this.overlay.draw();
  }

  private reserveAxisSpace({ layer, atlas }: State): void {
    const { clientWidth } = this.mapView.viewer.canvas;
    const { axis } = find(this.manifest, layer, atlas).atlas;
    const below = this.stacked ? this.clearance.bottom : 0; // elements at the bottom on a phone
    this.mapView.reserveBottom(
      axis && !this.stacked ? AXIS_SHARE : (below + (axis ? HEIGHT : 0)) / clientWidth,
    );
  }

  private drawOnTop(context: CanvasRenderingContext2D, frame: Frame): void {
    if (!this.labels) return;
    const { clientWidth: width, clientHeight: height } = this.mapView.viewer.canvas;
    drawAxis(context, frame, { width, height }, this.labels, this.readColors(), this.clearance);
  }

  private readColors(): AxisColors {
    const { theme } = document.documentElement.dataset;
    if (this.colors && theme === this.theme) return this.colors;
    this.theme = theme;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    this.colors = {
      foreground: color("foreground"),
      muted: color("muted"),
      background: color("background"),
      left: color("negative"),
      right: color("accent"),
      font: getComputedStyle(document.body).fontFamily,
    };
    return this.colors;
  }

  /** Measure the page elements; only after one has changed its size. */
  private measure(): void {
    const { page, corner, zoom } = this.pageElements;
    const panel = page.querySelector<HTMLElement>(".panel:not([hidden])");
    const { canvas, element } = this.mapView.viewer;
    const { clientWidth: width, clientHeight: height } = canvas;
    this.stacked = corner.offsetWidth > page.clientWidth / 2;
    if (this.stacked) {
      const top = panel ? panel.offsetTop : Math.min(corner.offsetTop, zoom.offsetTop);
      this.clearance = { left: EDGE, right: EDGE, bottom: height - top + EDGE / 2 };
    } else {
      const aside = panel && panel.offsetLeft > EDGE; // otherwise it is at the bottom
      const right = (aside ? page.clientWidth - panel.offsetLeft : EDGE) + zoom.offsetWidth + GAP;
      const beyond = page.clientWidth - element.offsetLeft - width; // width of a pane to the right
      this.clearance = {
        left: Math.max(corner.offsetLeft + corner.offsetWidth + GAP - element.offsetLeft, EDGE),
        right: Math.max(right - beyond, EDGE),
        bottom: EDGE / 2,
      };
    }
    if (!panel) this.reserveAxisSpace(this.store.state);
    this.overlay.draw();
  }
}
