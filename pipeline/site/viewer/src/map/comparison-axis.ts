// Puts the axis of a comparison on the picture, clear of what else stands there.

import { classNames, find, type Manifest } from "../data/manifest";
import type { Scene } from "../state/scene";
import type { State, Store } from "../state/state";
import { type AxisColours, type AxisLabels, type Clearance, drawAxis } from "./axis";
import type { Frame } from "./frame";
import type { Overlay } from "./overlay";
import type { Picture } from "./picture";

const FOOT = 0.09; // of the atlas's side, which suits all but tiny windows
const HEIGHT = 66;
const AWAY = 22;
const EDGE = 16;

/** What stands before the pictures. */
export interface Furniture {
  readonly page: HTMLElement;
  readonly corner: HTMLElement;
  readonly zoom: HTMLElement;
  readonly panel: HTMLElement;
}

export class ComparisonAxis {
  private labels: AxisLabels | null = null;
  private colours: AxisColours | null = null;
  private theme: string | undefined = "";
  private clearance: Clearance = { left: EDGE, right: EDGE, bottom: 0 };
  private stacked = false;
  private readonly sizes = new ResizeObserver(() => this.measure());
  private readonly panels = new MutationObserver(() => this.measure());

  constructor(
    private readonly manifest: Manifest,
    private readonly picture: Picture,
    private readonly overlay: Overlay,
    private readonly store: Store,
    private readonly furniture: Furniture,
  ) {
    overlay.paint = (context, frame) => this.paint(context, frame);
    this.makeRoom(store.state);
    store.subscribe((state) => this.makeRoom(state));
    for (const element of [picture.viewer.canvas, ...Object.values(furniture)]) this.sizes.observe(element);
    this.panels.observe(furniture.page, { childList: true });
  }

  /** Leave the furniture alone: the picture is about to go. */
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

  private makeRoom({ layer, atlas }: State): void {
    const { clientWidth } = this.picture.viewer.canvas;
    const { axis } = find(this.manifest, layer, atlas).atlas;
    const below = this.stacked ? this.clearance.bottom : 0; // what stands there on a phone
    this.picture.keepFoot(axis && !this.stacked ? FOOT : (below + (axis ? HEIGHT : 0)) / clientWidth);
  }

  private paint(context: CanvasRenderingContext2D, frame: Frame): void {
    if (!this.labels) return;
    const { clientWidth: width, clientHeight: height } = this.picture.viewer.canvas;
    drawAxis(context, frame, { width, height }, this.labels, this.palette(), this.clearance);
  }

  private palette(): AxisColours {
    const { theme } = document.documentElement.dataset;
    if (this.colours && theme === this.theme) return this.colours;
    this.theme = theme;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    this.colours = {
      ink: colour("ink"),
      soft: colour("soft"),
      paper: colour("paper"),
      left: colour("against"),
      right: colour("accent"),
      font: getComputedStyle(document.body).fontFamily,
    };
    return this.colours;
  }

  /** Find out what the axis must keep clear of; only when something has changed its size. */
  private measure(): void {
    const { page, corner, zoom } = this.furniture;
    const panel = page.querySelector<HTMLElement>(".panel:not([hidden])");
    const { canvas, element } = this.picture.viewer;
    const { clientWidth: width, clientHeight: height } = canvas;
    this.stacked = corner.offsetWidth > page.clientWidth / 2;
    if (this.stacked) {
      const top = panel ? panel.offsetTop : Math.min(corner.offsetTop, zoom.offsetTop);
      this.clearance = { left: EDGE, right: EDGE, bottom: height - top + EDGE / 2 };
    } else {
      const aside = panel && panel.offsetLeft > EDGE; // else it lies at the foot
      const right = (aside ? page.clientWidth - panel.offsetLeft : EDGE) + zoom.offsetWidth + AWAY;
      const beyond = page.clientWidth - element.offsetLeft - width; // where another picture hangs
      this.clearance = {
        left: Math.max(corner.offsetLeft + corner.offsetWidth + AWAY - element.offsetLeft, EDGE),
        right: Math.max(right - beyond, EDGE),
        bottom: EDGE / 2,
      };
    }
    if (!panel) this.makeRoom(this.store.state);
    this.overlay.draw();
  }
}
