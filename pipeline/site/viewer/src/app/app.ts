// The page: builds its parts and lets each hear what concerns it.

import { ClassSheet } from "../classes/class-dialog";
import { offersOf, Search } from "../classes/class-search";
import { Lens } from "../classes/class-toolbar";
import { UsesList } from "../classes/polysemantic-cells";
import type { CellAddress } from "../data/area";
import { find, holding, type Manifest } from "../data/manifest";
import { AtlasChooser } from "../header/atlas-menu";
import { Masthead } from "../header/header";
import { layerSwitch } from "../header/layer-menu";
import { LevelSwitch } from "../header/level-switch";
import { ComparisonAxis } from "../map/comparison-axis";
import { fly } from "../map/navigation";
import { secondSetButton, WallLabel } from "../panels/caption";
import { Panel } from "../panels/cell-panel";
import { Card } from "../panels/hover-card";
import { MeasureLegend } from "../panels/measure-legend";
import { MeasureMenu } from "../panels/measure-menu";
import { Trail } from "../panels/other-layers";
import { Pins } from "../panels/pinned-cell";
import { MadeSheet } from "../panels/provenance";
import { RegionTool } from "../regions/region-tool";
import { Regions } from "../regions/selected-region";
import { namePicture, Pane } from "../split/pane";
import { Beside } from "../split/split-view";
import { chosen, MOST_CLASSES, withClass } from "../state/class-selection";
import type { Scene } from "../state/scene";
import { type State, Store } from "../state/state";
import { Address, fromHash } from "../state/url-hash";
import { PlaceList } from "../tour/bookmark-list";
import { announce, announcements, keepFocus } from "../ui/accessibility";
import { showFailure, themeButton } from "../ui/page";
import { helpDialog } from "./help";
import { evidenceLink, type Gallery, gallery, helpButton, tools, zoomButtons } from "./page-layout";
import { listenToKeys, shortcuts } from "./shortcuts";

export class App {
  private readonly store: Store;
  private readonly trail: Trail;
  private readonly card: Card;
  private readonly pane: Pane;
  private readonly beside: Beside;
  private readonly pins: Pins;
  private readonly places: PlaceList;
  private readonly tool: RegionTool;
  private readonly lens: Lens;
  private readonly levels: LevelSwitch;
  private readonly wallLabel: WallLabel;
  private readonly legend: MeasureLegend;
  private readonly search: Search;
  private readonly atlases: AtlasChooser;
  private readonly sheet: ClassSheet;
  private readonly uses: UsesList;
  private readonly axis: ComparisonAxis;
  private readonly help = helpDialog();
  private readonly address: Address;

  constructor(private readonly manifest: Manifest) {
    const { classes } = manifest.network;
    this.store = new Store(fromHash(location.hash, manifest));
    this.trail = new Trail(manifest, this.store, showFailure);
    this.card = new Card(manifest);
    const panel = new Panel(manifest, this.trail, {
      close: () => this.closePanel(),
      follow: (layer, cell) => this.goTo(layer, cell),
      choose: (classId, add) => this.toggle(classId, add),
      report: showFailure,
    });
    this.atlases = new AtlasChooser(manifest, this.store);
    this.sheet = new ClassSheet(manifest, this.store, showFailure);
    this.uses = new UsesList(manifest, this.store, showFailure);
    this.lens = new Lens(manifest, this.store, {
      survey: (classId) => this.sheet.open(classId),
      more: () => this.search.more(),
    });
    this.levels = new LevelSwitch(manifest, this.store);
    const made = new MadeSheet(manifest);
    this.wallLabel = new WallLabel(manifest, () => made.open(this.store.state));
    this.search = new Search(classes, {
      choose: (classId) => {
        this.store.set({ classId });
        this.focus();
      },
      add: (classId) => this.store.set(withClass(this.store.state, classId)),
      offers: (classId) => offersOf(manifest, this.store, classId, () => this.focus()),
      highlighted: () => chosen(this.store.state),
    });
    this.legend = new MeasureLegend(this.store);
    const { page, place, minimap, corner } = this.hang();
    const surroundings = { manifest, card: this.card, report: showFailure };
    if (this.store.state.beside) document.documentElement.dataset.beside = ""; // half the room from the start
    this.pane = new Pane(surroundings, this.store, place, minimap);
    const { stage, picture, overlay, sight } = this.pane;
    globalThis.atlas = {
      place: (row, column) => sight.place(row, column),
      names: () => this.pane.names.written,
    };
    this.pins = new Pins(this.store, stage, panel, sight, classes, showFailure);
    this.tool = new RegionTool(picture, this.store, stage, overlay, sight);
    new Regions(manifest, this.store, stage, sight, page, {
      close: () => {
        this.tool.cancel();
        this.store.set({ selection: null });
        this.focus();
      },
      add: () => this.tool.toggle("lasso", true),
      choose: (classId, add) => this.toggle(classId, add),
      report: showFailure,
    });
    this.places = new PlaceList(manifest, this.store, {
      fly: (link, tour) => fly(manifest, this.store, picture, link, tour),
      leave: () => this.focus(),
      report: showFailure,
    });
    const zoom = zoomButtons(picture);
    const furniture = { page, corner, zoom, panel: panel.element };
    this.beside = new Beside(surroundings, this.pane, furniture, (pin) => {
      this.pins.awaited = pin;
    });
    const show = new MeasureMenu(this.store);
    zoom.append(
      this.tool.buttons.box,
      this.tool.buttons.lasso,
      this.beside.button,
      this.places.button,
      show.button,
      show.element,
    );
    page.append(this.lens.element, this.places.tour.element, zoom, panel.element);
    const dialogs = [this.help, this.sheet.dialog, this.uses.dialog, made.dialog, this.places.dialog];
    document.body.append(this.card.element, ...dialogs, announcements());
    this.axis = new ComparisonAxis(manifest, picture, overlay, this.store, furniture);
    this.address = new Address(manifest, this.store, ({ view }) => picture.go(view));
  }

  start(): void {
    const { canvas } = this.pane;
    namePicture(canvas);
    keepFocus(canvas);
    const { manifest, store, trail, beside, pins, places, tool, help, atlases, sheet, uses } = this;
    const { stage, picture, cursor } = this.pane;
    stage.onChange((scene) => this.show(scene));
    store.subscribe((state, before) => this.changed(state, before));
    this.pane.listen((cell) => tool.click(cell) || pins.pin(cell));
    const search = this.search.input;
    listenToKeys(
      shortcuts({
        manifest,
        store,
        trail,
        stage,
        picture,
        cursor,
        beside,
        pins,
        places,
        tool,
        search,
        help,
        atlases,
        sheet,
        uses,
      }),
    );
    picture.go(store.state.view, true);
    beside.start();
    picture.onMove(() => stage.zoomed(picture.frame().side));
    picture.onRest(() => store.set({ view: picture.view() }));
    stage.zoomed(picture.frame().side);
    if (store.state.tour !== null) places.tour.follow();
  }

  /** Put the masthead and the room for the picture, with its minimap and wall label, on the page. */
  private hang(): Gallery {
    const theme = themeButton(() => {
      this.pane?.overlay.rebuild();
      this.beside?.rebuild();
    });
    const layers = layerSwitch(this.manifest, this.store, (layer) => this.trail.go(layer));
    const uses = this.uses.opener();
    const ways = tools(...(uses ? [uses, evidenceLink()] : []), theme, helpButton(this.help));
    const [atlases, levels, search] = [this.atlases.element, this.levels.element, this.search.element];
    const head = new Masthead(this.manifest, { atlases, layers, levels, search, tools: ways });
    const room = gallery();
    room.corner.append(
      this.wallLabel.element,
      secondSetButton(this.manifest, this.store),
      this.legend.element,
    );
    document.body.append(head.element, room.page);
    head.arrange();
    return room;
  }

  private show(scene: Scene): void {
    this.pane.show(scene);
    this.axis.show(scene);
    this.levels.show(scene);
    this.lens.show(scene);
    this.wallLabel.show(scene);
    this.legend.show(scene);
    this.card.hide();
    this.pins.show(scene);
    const root = document.documentElement;
    root.dataset.level = String(scene.level.size);
    root.dataset.ready = `${scene.level.name}/${scene.highlights.map(({ id }) => id).join(".")}`;
    root.dataset.density = scene.density?.of ?? "";
  }

  private changed(state: State, before: State): void {
    const { stage, picture } = this.pane;
    const { scene } = stage;
    this.travelled(state, before);
    if (state.pin !== before.pin && scene) {
      this.card.hide();
      this.pins.show(scene);
    }
    if (state.sign !== before.sign && scene) this.lens.show(scene);
    tellChange(this.manifest, state, before);
    const sized = (["atlas", "layer", "level"] as const).some((key) => state[key] !== before[key]);
    if (sized) stage.zoomed(picture.frame().side);
    this.address.write();
  }

  /** Follow a change that names a new place: another atlas, or a cell together with the view around it. */
  private travelled(state: State, before: State): void {
    const moved = state.view !== before.view;
    if (moved && state.pin && state.pin !== before.pin) {
      this.pins.awaited = state.pin;
      this.pane.picture.go(state.view, true);
    } else if (state.atlas !== before.atlas) this.pane.picture.go(state.view);
  }

  /** Highlight a class alone, or beside the others; once more ends it. */
  private toggle(classId: number, add: boolean): void {
    const { state } = this.store;
    const alone = state.classId === classId && !state.also.length;
    this.store.set(add ? withClass(state, classId) : { classId: alone ? null : classId });
  }

  /** Pin a cell of another layer and bring it into sight. */
  private goTo(layer: string, cell: CellAddress): void {
    this.store.set({ layer, pin: cell });
    const { row: top, column: left, size } = cell;
    this.pane.sight.revealBox({ size, top, left, bottom: top, right: left });
    this.focus();
  }

  private closePanel(): void {
    this.pins.unpin();
    this.focus();
  }

  private focus(): void {
    this.pane.focus();
  }
}

// What is read out when the state changes.

const list = new Intl.ListFormat("en-GB");

export function tellChange(manifest: Manifest, state: State, before: State): void {
  if (state.classId !== before.classId || state.also.join() !== before.also.join()) {
    const names = chosen(state).map(({ id }) => manifest.network.classes[id] ?? `class ${id}`);
    const full = names.length === MOST_CLASSES ? ", no more than these" : "";
    announce(names.length ? `Highlighting ${list.format(names)}${full}` : "All classes");
  }
  if (state.atlas !== before.atlas)
    announce(holding(manifest, find(manifest, state.layer, state.atlas).atlas));
  else if (state.level !== before.level || state.layer !== before.layer)
    announce(`Layer ${state.layer}, grid level ${state.level ?? "by zoom"}`);
}
