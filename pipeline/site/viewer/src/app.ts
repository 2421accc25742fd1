// The page: builds its parts and lets each hear what concerns it.

import { announce, announcements } from "./announce";
import { Card } from "./card";
import { spoken } from "./describe";
import { button, drawing, el } from "./dom";
import { helpDialog } from "./help";
import { type KeyActions, listenToKeys } from "./keyboard";
import { Lens } from "./lens";
import { fromHash, toHash } from "./link";
import { find, type Manifest } from "./manifest";
import { nearest, neighbour } from "./neighbour";
import { Overlay } from "./overlay";
import { Panel } from "./panel";
import { Picture } from "./picture";
import { listenToPointer } from "./pointer";
import { type Scene, Stage } from "./scene";
import { Search } from "./search";
import { type State, Store } from "./state";
import { LevelSwitch, layerSwitch } from "./switches";
import { themeButton } from "./theme";
import { WallLabel } from "./wall-label";

declare global {
  /** For pages that show the atlas in a frame, and for tests. */
  var atlas: { place(row: number, column: number): { x: number; y: number } } | undefined;
}

const CLEARANCE = 24;

export class App {
  private readonly store: Store;
  private readonly stage: Stage;
  private readonly picture: Picture;
  private readonly overlay: Overlay;
  private readonly card: Card;
  private readonly panel: Panel;
  private readonly lens: Lens;
  private readonly levels: LevelSwitch;
  private readonly wallLabel: WallLabel;
  private readonly search: Search;
  private readonly help = helpDialog();
  private hash = "";

  constructor(private readonly manifest: Manifest) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const stageElement = el("main", { class: "stage" });
    const minimap = el("div", {});
    const corner = el(
      "div",
      { class: "corner" },
      el("div", { class: "minimap", "aria-hidden": "true" }, minimap),
    );
    const report = (error: unknown): void => this.fail(error);
    this.store = new Store(fromHash(location.hash, manifest));
    this.stage = new Stage(manifest, this.store, report);
    this.card = new Card(manifest);
    this.panel = new Panel(manifest, {
      close: () => this.unpin(),
      choose: (classId) => this.toggleClass(classId),
      report,
    });
    this.lens = new Lens(manifest, this.store);
    this.levels = new LevelSwitch(manifest, this.store);
    this.wallLabel = new WallLabel(manifest);
    this.search = new Search(manifest.network.classes, (classId) => {
      this.store.set({ classId });
      this.focus();
    });
    stageElement.append(corner);
    document.body.append(this.header(), stageElement);
    this.picture = new Picture(stageElement, minimap, still);
    this.overlay = new Overlay(this.picture, this.store);
    corner.append(this.wallLabel.element);
    stageElement.append(this.lens.element, this.zoomButtons(), this.panel.element);
    document.body.append(this.card.element, this.help, announcements());
  }

  start(): void {
    this.label(this.picture.viewer.canvas);
    this.stage.onChange((scene) => this.show(scene));
    this.store.subscribe((state, before) => this.changed(state, before));
    listenToPointer(this.picture, () => this.stage.scene, {
      hover: (cell, x, y) => this.hover(cell, x, y),
      leave: () => this.leave(),
      click: (cell) => this.pin(cell),
    });
    listenToKeys(this.picture.viewer.canvas, this.keyActions());
    addEventListener("hashchange", () => this.follow());
    this.picture.go(this.store.state.view, true);
    this.picture.onMove(() => this.stage.zoomed(this.picture.frame().side));
    this.picture.onRest(() => this.store.set({ view: this.picture.view() }));
    this.stage.zoomed(this.picture.frame().side);
    globalThis.atlas = { place: (row, column) => this.place(row, column) };
  }

  /** The middle of a cell of the shown level, CSS pixels of the page. */
  private place(row: number, column: number): { x: number; y: number } {
    const { left, top, side } = this.picture.frame();
    const { left: x, top: y } = this.picture.viewer.canvas.getBoundingClientRect();
    const size = side / (this.stage.scene?.level.size ?? 1);
    return { x: x + left + (column + 0.5) * size, y: y + top + (row + 0.5) * size };
  }

  private header(): HTMLElement {
    const { title, network } = this.manifest;
    const heading = el("div", { class: "title" }, el("h1", {}, title), el("p", {}, network.name));
    const dots = drawing("M7.4 7.6a2.7 2.7 0 1 1 3.9 2.5c-.9.5-1.3 1-1.3 2.1", "M10 15.2v.1");
    return el(
      "header",
      { class: "masthead" },
      heading,
      layerSwitch(this.manifest, this.store),
      this.levels.element,
      this.search.element,
      el(
        "div",
        { class: "tools" },
        themeButton(() => this.overlay?.rebuild()),
        button("Help", dots, () => this.help.showModal()),
      ),
    );
  }

  private zoomButtons(): HTMLElement {
    return el(
      "div",
      { class: "zoom", role: "group", "aria-label": "Zoom" },
      button("Zoom in", drawing("M10 4v12", "M4 10h12"), () => this.picture.zoom(1)),
      button("Zoom out", drawing("M4 10h12"), () => this.picture.zoom(-1)),
      button("Show the whole atlas", drawing("M4 8V4h4", "M12 4h4v4", "M16 12v4h-4", "M8 16H4v-4"), () =>
        this.picture.go(null),
      ),
    );
  }

  private label(canvas: Element): void {
    canvas.setAttribute("role", "application");
    canvas.setAttribute("tabindex", "0");
    canvas.setAttribute(
      "aria-label",
      "Activation atlas. Arrow keys move from cell to cell, Enter pins a cell, plus and minus zoom, question mark lists all keys.",
    );
  }

  private show(scene: Scene): void {
    const entry = scene.atlas.levels.find(({ size }) => size === scene.level.size);
    if (entry) this.picture.show(scene.layer.name, scene.atlas, entry);
    this.overlay.show(scene);
    this.levels.show(scene);
    this.lens.show(scene);
    this.wallLabel.show(scene);
    this.card.hide();
    this.showPin(scene);
    const root = document.documentElement;
    root.dataset.level = String(scene.level.size);
    root.dataset.ready = `${scene.level.name}/${scene.heat?.classId ?? ""}`;
  }

  private changed(state: State, before: State): void {
    const { scene } = this.stage;
    if (state.pin !== before.pin && scene) this.showPin(scene);
    if (state.sign !== before.sign && scene) this.lens.show(scene);
    if (state.classId !== before.classId) {
      const name = state.classId === null ? "All classes" : this.manifest.network.classes[state.classId];
      announce(state.classId === null ? "All classes" : `Highlighting ${name}`);
    }
    if (state.level !== before.level || state.layer !== before.layer) {
      announce(`Layer ${state.layer}, grid level ${state.level ?? "by zoom"}`);
      this.stage.zoomed(this.picture.frame().side);
    }
    this.hash = toHash(state);
    history.replaceState(null, "", this.hash);
  }

  /** Take over a link that was put into the address by hand. */
  private follow(): void {
    if (location.hash === this.hash) return;
    const state = fromHash(location.hash, this.manifest);
    this.store.set(state);
    this.picture.go(state.view);
  }

  /** Show the pinned cell, which may belong to another level than the one in sight. */
  private async showPin({ layer, atlas, level, heat }: Scene): Promise<void> {
    const { pin } = this.store.state;
    document.documentElement.toggleAttribute("data-pinned", pin !== null);
    if (!pin) return this.panel.hide();
    try {
      const scene =
        level.size === pin.size ? { layer, atlas, level, heat } : await this.stage.sceneAt(pin.size);
      if (this.store.state.pin !== pin || !scene) return;
      const cell = scene.level.at(pin.row, pin.column);
      if (cell < 0) this.store.set({ pin: null });
      else this.panel.show(scene, cell);
    } catch (error) {
      this.fail(error);
    }
  }

  private hover(cell: number, x: number, y: number): void {
    const { scene } = this.stage;
    if (!scene) return;
    this.overlay.mark(cell);
    this.card.show(scene, cell, x, y);
  }

  private leave(): void {
    this.overlay.mark(-1);
    this.card.hide();
  }

  private pin(cell: number): void {
    const { scene } = this.stage;
    if (!scene) return;
    const { level } = scene;
    this.card.hide();
    this.store.set({ pin: { size: level.size, row: level.row(cell), column: level.column(cell) } });
    announce(`Pinned. ${spoken(scene, cell, this.manifest.network.classes)}`);
    this.clear(cell);
  }

  private unpin(): void {
    this.store.set({ pin: null });
    this.focus();
  }

  private toggleClass(classId: number): void {
    this.store.set({ classId: this.store.state.classId === classId ? null : classId });
  }

  private keyActions(): KeyActions {
    return {
      step: (rows, columns) => this.step(rows, columns),
      pan: (right, down) => this.picture.pan(right, down),
      zoom: (steps) => this.picture.zoom(steps),
      home: () => this.picture.go(null),
      pin: () => this.overlay.marked >= 0 && this.pin(this.overlay.marked),
      back: () => this.back(),
      level: (step) => this.stepLevel(step),
      autoLevel: () => this.store.set({ level: null }),
      nextLayer: () => this.nextLayer(),
      search: () => this.search.input.focus(),
      help: () => this.help.showModal(),
    };
  }

  /** Move the keyboard's cursor, bring it into sight and read it out. */
  private step(rows: number, columns: number): void {
    const { scene } = this.stage;
    if (!scene) return;
    const { level } = scene;
    const { pin } = this.store.state;
    const pinned = pin && pin.size === level.size ? level.at(pin.row, pin.column) : -1;
    const view = this.picture.view();
    const from = this.overlay.marked >= 0 ? this.overlay.marked : pinned;
    const cell = from < 0 ? nearest(level, view.x, view.y) : neighbour(level, from, rows, columns);
    if (cell < 0) return;
    this.overlay.mark(cell);
    this.clear(cell);
    const { x, y } = this.place(level.row(cell), level.column(cell));
    this.card.show(scene, cell, x, y);
    announce(spoken(scene, cell, this.manifest.network.classes));
  }

  /** Move the picture where a cell would lie outside the window or under the panel. */
  private clear(cell: number): void {
    const { scene } = this.stage;
    if (!scene) return;
    const { left, top, side } = this.picture.frame();
    const size = side / scene.level.size;
    const [x, y] = [left + scene.level.column(cell) * size, top + scene.level.row(cell) * size];
    const room = this.room();
    const right = Math.max(x + size + CLEARANCE - room.width, 0) + Math.min(x - CLEARANCE, 0);
    const down = Math.max(y + size + CLEARANCE - room.height, 0) + Math.min(y - CLEARANCE, 0);
    if (right || down) this.picture.shift(right, down);
  }

  /** The part of the picture that the panel leaves free, CSS pixels. */
  private room(): { width: number; height: number } {
    const { clientWidth, clientHeight } = this.picture.viewer.canvas;
    const { offsetLeft, offsetTop, hidden } = this.panel.element;
    if (hidden) return { width: clientWidth, height: clientHeight };
    return offsetLeft < CLEARANCE
      ? { width: clientWidth, height: offsetTop }
      : { width: offsetLeft, height: clientHeight };
  }

  private back(): void {
    if (this.store.state.pin) this.unpin();
    else if (this.overlay.marked >= 0) this.leave();
    else this.store.set({ classId: null, sign: 1, intensity: 1 });
  }

  private stepLevel(step: number): void {
    const { layer, atlas } = this.store.state;
    const sizes = find(this.manifest, layer, atlas).atlas.levels.map(({ size }) => size);
    const next = sizes[sizes.indexOf(this.stage.scene?.level.size ?? 0) + step];
    if (next !== undefined) this.store.set({ level: next });
  }

  private nextLayer(): void {
    const names = this.manifest.layers.map(({ name }) => name);
    const layer = names[(names.indexOf(this.store.state.layer) + 1) % names.length];
    if (layer !== undefined) this.store.set({ layer, pin: null });
  }

  private focus(): void {
    (this.picture.viewer.canvas as HTMLElement).focus({ preventScroll: true });
  }

  private fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    document.querySelector(".failure")?.remove();
    document.body.append(el("p", { class: "failure", role: "alert" }, text));
  }
}
