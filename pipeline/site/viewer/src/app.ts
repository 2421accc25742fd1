// The page: builds its parts and lets each hear what concerns it.

import { announce, announcements } from "./announce";
import { AtlasChooser } from "./atlas-chooser";
import { atlasesOf, atlasName, holding } from "./atlas-names";
import { Card } from "./card";
import { ClassSheet } from "./class-sheet";
import { ComparisonAxis } from "./comparison-axis";
import { Cursor } from "./cursor";
import { el } from "./dom";
import {
  evidenceLink,
  helpButton,
  masthead,
  namePicture,
  showFailure,
  tools,
  zoomButtons,
} from "./furniture";
import { helpDialog } from "./help";
import { listenToKeys } from "./keyboard";
import { Lens } from "./lens";
import { fromHash, toHash } from "./link";
import { MadeSheet } from "./made";
import { find, type Manifest } from "./manifest";
import { Overlay } from "./overlay";
import { Panel } from "./panel";
import { Picture } from "./picture";
import { Pins } from "./pins";
import { listenToPointer } from "./pointer";
import { RegionTool } from "./region-tool";
import { Regions } from "./regions";
import { type Scene, Stage } from "./scene";
import { type Offer, Search } from "./search";
import { secondSetButton } from "./second-set";
import { shortcuts } from "./shortcuts";
import { Sight } from "./sight";
import { type CellAddress, type State, Store } from "./state";
import { LevelSwitch, layerSwitch } from "./switches";
import { themeButton } from "./theme";
import { openAtlas } from "./travel";
import { UsesList } from "./uses-list";
import { WallLabel } from "./wall-label";

export class App {
  private readonly store: Store;
  private readonly stage: Stage;
  private readonly picture: Picture;
  private readonly overlay: Overlay;
  private readonly card: Card;
  private readonly cursor: Cursor;
  private readonly pins: Pins;
  private readonly tool: RegionTool;
  private readonly lens: Lens;
  private readonly levels: LevelSwitch;
  private readonly wallLabel: WallLabel;
  private readonly sight: Sight;
  private readonly search: Search;
  private readonly atlases: AtlasChooser;
  private readonly sheet: ClassSheet;
  private readonly uses: UsesList;
  private readonly axis: ComparisonAxis;
  private readonly help = helpDialog();
  private hash = "";

  constructor(private readonly manifest: Manifest) {
    const { classes } = manifest.network;
    this.store = new Store(fromHash(location.hash, manifest));
    this.stage = new Stage(manifest, this.store, showFailure);
    this.card = new Card(manifest);
    const panel = new Panel(manifest, {
      close: () => this.closePanel(),
      follow: (layer, cell) => this.goTo(layer, cell),
      choose: (classId) => this.toggle(classId),
      report: showFailure,
    });
    this.atlases = new AtlasChooser(manifest, this.store);
    this.sheet = new ClassSheet(manifest, this.store, showFailure);
    this.uses = new UsesList(manifest, this.store, showFailure);
    this.lens = new Lens(manifest, this.store, (classId) => this.sheet.open(classId));
    this.levels = new LevelSwitch(manifest, this.store);
    const made = new MadeSheet(manifest);
    this.wallLabel = new WallLabel(manifest, () => made.open(this.store.state));
    const highlight = (classId: number): void => {
      this.store.set({ classId });
      this.focus();
    };
    this.search = new Search(classes, highlight, (classId) => this.offers(classId));
    this.picture = this.hang();
    this.overlay = new Overlay(this.picture, this.store);
    this.sight = new Sight(this.picture, this.stage);
    const { sight } = this;
    this.pins = new Pins(this.store, this.stage, panel, sight, classes, showFailure);
    this.cursor = new Cursor(this.store, this.stage, this.picture, this.overlay, this.card, sight, classes);
    this.tool = new RegionTool(this.picture, this.store, this.stage, this.overlay, sight);
    const page = this.picture.viewer.element;
    new Regions(manifest, this.store, this.stage, sight, page, {
      close: () => {
        this.store.set({ box: null });
        this.focus();
      },
      choose: (classId) => this.toggle(classId),
      report: showFailure,
    });
    const zoom = zoomButtons(this.picture);
    zoom.append(this.tool.button);
    page.append(this.lens.element, zoom, panel.element);
    const dialogs = [this.help, this.sheet.dialog, this.uses.dialog, made.dialog];
    document.body.append(this.card.element, ...dialogs, announcements());
    const corner = page.querySelector<HTMLElement>(".corner") ?? zoom;
    const furniture = { corner, zoom, panel: panel.element };
    this.axis = new ComparisonAxis(manifest, this.picture, this.overlay, this.store, furniture);
  }

  start(): void {
    const { canvas } = this.picture.viewer;
    namePicture(canvas);
    this.stage.onChange((scene) => this.show(scene));
    this.store.subscribe((state, before) => this.changed(state, before));
    listenToPointer(this.picture, () => this.stage.scene, {
      hover: (cell, x, y) => this.cursor.hover(cell, x, y),
      leave: () => this.cursor.leave(),
      click: (cell) => this.pins.pin(cell),
    });
    const { manifest, store, stage, picture, cursor, pins, tool, help, atlases, sheet, uses } = this;
    const search = this.search.input;
    listenToKeys(
      canvas,
      shortcuts({ manifest, store, stage, picture, cursor, pins, tool, search, help, atlases, sheet, uses }),
    );
    addEventListener("hashchange", () => this.follow());
    picture.go(store.state.view, true);
    picture.onMove(() => stage.zoomed(picture.frame().side));
    picture.onRest(() => store.set({ view: picture.view() }));
    stage.zoomed(picture.frame().side);
  }

  /** Put the masthead and the picture, with its minimap and wall label, on the page. */
  private hang(): Picture {
    const theme = themeButton(() => this.overlay?.rebuild());
    const layers = layerSwitch(this.manifest, this.store);
    const uses = this.uses.opener();
    const ways = tools(...(uses ? [uses, evidenceLink()] : []), theme, helpButton(this.help));
    const controls = [this.atlases.element, layers, this.levels.element, this.search.element, ways];
    const minimap = el("div");
    const corner = el(
      "div",
      { class: "corner" },
      el("div", { class: "minimap", "aria-hidden": "true" }, minimap),
    );
    corner.append(this.wallLabel.element, secondSetButton(this.manifest, this.store));
    const stage = el("main", { class: "stage" }, corner);
    document.body.append(masthead(this.manifest, ...controls), stage);
    return new Picture(stage, minimap, matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  private show(scene: Scene): void {
    const entry = scene.atlas.levels.find(({ size }) => size === scene.level.size);
    if (entry) this.picture.show(scene.layer.name, scene.atlas, entry);
    this.overlay.show(scene);
    this.axis.show(scene);
    this.levels.show(scene);
    this.lens.show(scene);
    this.wallLabel.show(scene);
    this.card.hide();
    this.pins.show(scene);
    const root = document.documentElement;
    root.dataset.level = String(scene.level.size);
    root.dataset.ready = `${scene.level.name}/${scene.heat?.classId ?? ""}`;
    root.dataset.density = scene.density?.of ?? "";
  }

  private changed(state: State, before: State): void {
    const { scene } = this.stage;
    this.travelled(state, before);
    if (state.pin !== before.pin && scene) {
      this.card.hide();
      this.pins.show(scene);
    }
    if (state.sign !== before.sign && scene) this.lens.show(scene);
    if (state.classId !== before.classId) {
      const name = state.classId === null ? null : this.manifest.network.classes[state.classId];
      announce(name ? `Highlighting ${name}` : "All classes");
    }
    if (state.atlas !== before.atlas) {
      announce(holding(this.manifest, find(this.manifest, state.layer, state.atlas).atlas));
      this.stage.zoomed(this.picture.frame().side);
    } else if (state.level !== before.level || state.layer !== before.layer) {
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

  /** Follow a change that names a new place: another atlas, or a cell together with the view around it. */
  private travelled(state: State, before: State): void {
    const moved = state.view !== before.view;
    if (moved && state.pin && state.pin !== before.pin) {
      this.pins.awaited = state.pin;
      this.picture.go(state.view, true);
    } else if (state.atlas !== before.atlas) this.picture.go(state.view);
  }

  /** The atlases that the search offers beside a class. */
  private offers(classId: number): Offer[] {
    return atlasesOf(this.manifest, classId).map((atlas) => {
      const name = atlasName(this.manifest, atlas);
      return {
        text: atlas.kind === "class" ? `Atlas of ${name}` : name,
        take: () => {
          openAtlas(this.manifest, this.store, atlas.name);
          this.focus();
        },
      };
    });
  }

  private toggle(classId: number): void {
    this.store.set({ classId: this.store.state.classId === classId ? null : classId });
  }

  /** Pin a cell of another layer and bring it into sight. */
  private goTo(layer: string, cell: CellAddress): void {
    this.store.set({ layer, pin: cell });
    const { row: top, column: left, size } = cell;
    this.sight.revealBox({ size, top, left, bottom: top, right: left });
    this.focus();
  }

  private closePanel(): void {
    this.pins.unpin();
    this.focus();
  }

  private focus(): void {
    (this.picture.viewer.canvas as HTMLElement).focus({ preventScroll: true });
  }
}
