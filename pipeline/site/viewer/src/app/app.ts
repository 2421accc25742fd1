// Composition of the page: creates its parts and connects them.

import { ClassDialog } from "../classes/class-dialog";
import { Search, searchActionsOf } from "../classes/class-search";
import { ClassToolbar } from "../classes/class-toolbar";
import { PolysemanticCellsDialog } from "../classes/polysemantic-cells";
import type { Box, CellAddress } from "../data/area";
import { STYLE_INFOS, styleOf } from "../data/icon-styles";
import { atlasDescription, find, type Manifest } from "../data/manifest";
import { isRecorded } from "../data/recorded";
import { AtlasMenu } from "../header/atlas-menu";
import { Header } from "../header/header";
import { createLayerSwitch } from "../header/layer-menu";
import { LevelSwitch } from "../header/level-switch";
import { StyleSwitch } from "../header/style-switch";
import { ComparisonAxis } from "../map/comparison-axis";
import { goToLink, initialView } from "../map/navigation";
import { createOwnImageButton, OwnImage } from "../own-image/own-image";
import { PaletteTool } from "../palette/palette-tool";
import { Caption, SecondSetButton } from "../panels/caption";
import { CellPanel } from "../panels/cell-panel";
import { ChannelLegend } from "../panels/channel-legend";
import { HoverCard } from "../panels/hover-card";
import { MeasureLegend } from "../panels/measure-legend";
import { MeasureMenu } from "../panels/measure-menu";
import { PinFollower } from "../panels/other-layers";
import { PinnedCell } from "../panels/pinned-cell";
import { ProvenanceDialog } from "../panels/provenance";
import { SampleLegend } from "../panels/sample-legend";
import { RegionTool } from "../regions/region-tool";
import { SelectedRegion } from "../regions/selected-region";
import { labelCanvas, Pane } from "../split/pane";
import { SplitView } from "../split/split-view";
import { addClass, highlightedClasses, MAX_CLASSES } from "../state/class-selection";
import { HashSync } from "../state/history";
import type { Scene } from "../state/scene";
import { type State, Store } from "../state/state";
import { describeMissing, fromHash, missingParts, toHash } from "../state/url-hash";
import { BookmarkList } from "../tour/bookmark-list";
import { announce, announcementRegion, keepFocus } from "../ui/accessibility";
import { closeNotice, createThemeButton, showFailure, showNotice } from "../ui/page";
import { createCopyLinkButton } from "./copy-link";
import { createHelpDialog } from "./help";
import { createIntroduction } from "./introduction";
import {
  createEvidenceLink,
  createHelpButton,
  createPageLayout,
  createTools,
  createZoomButtons,
  type PageLayout,
} from "./page-layout";
import { listenToKeys, shortcuts } from "./shortcuts";

export class App {
  private readonly store: Store;
  private readonly pinFollower: PinFollower;
  private readonly card: HoverCard;
  private readonly pane: Pane;
  private readonly split: SplitView;
  private readonly pinnedCell: PinnedCell;
  private readonly bookmarkList: BookmarkList;
  private readonly tool: RegionTool;
  private readonly ownImage: OwnImage;
  private readonly palette: PaletteTool;
  private readonly classToolbar: ClassToolbar;
  private readonly levels: LevelSwitch;
  private readonly styles: StyleSwitch;
  private readonly caption: Caption;
  private readonly secondSet: SecondSetButton;
  private readonly legend: MeasureLegend;
  private readonly channelLegend: ChannelLegend;
  private readonly sampleLegend: SampleLegend;
  private readonly showMenu: MeasureMenu;
  private readonly search: Search;
  private readonly atlases: AtlasMenu;
  private readonly classDialog: ClassDialog;
  private readonly polysemanticCells: PolysemanticCellsDialog;
  private readonly axis: ComparisonAxis;
  private readonly help: HTMLDialogElement;
  private readonly hashSync: HashSync;

  constructor(private readonly manifest: Manifest) {
    this.store = new Store(fromHash(location.hash, manifest));
    this.help = createHelpDialog(manifest);
    this.pinFollower = new PinFollower(manifest, this.store, showFailure);
    this.card = new HoverCard(manifest);
    const panel = new CellPanel(manifest, this.pinFollower, {
      close: () => this.closePanel(),
      createPaletteOffer: (scene, cell) => this.palette.createOffer(scene, cell),
      follow: (layer, cell) => this.goTo(layer, cell),
      choose: (classId, add) => this.toggle(classId, add),
      showChannel: (channel) =>
        this.store.set({ channel: channel === this.store.state.channel ? null : channel }),
      reportError: showFailure,
    });
    this.atlases = new AtlasMenu(manifest, this.store);
    this.classDialog = new ClassDialog(manifest, this.store, showFailure);
    this.polysemanticCells = new PolysemanticCellsDialog(manifest, this.store, showFailure);
    this.classToolbar = new ClassToolbar(manifest, this.store, {
      showClass: (classId) => this.classDialog.open(classId),
      addClass: () => this.search.startAdding(),
    });
    this.levels = new LevelSwitch(manifest, this.store);
    this.styles = new StyleSwitch(manifest, this.store);
    const provenance = new ProvenanceDialog(manifest);
    this.caption = new Caption(manifest, () => provenance.open(this.store.state));
    this.secondSet = new SecondSetButton(manifest, this.store);
    this.search = new Search(manifest, {
      choose: (classId) => {
        this.store.set({ classId });
        this.focus();
      },
      add: (classId) => this.store.set(addClass(this.store.state, classId)),
      actionsFor: (classId) => searchActionsOf(manifest, this.store, classId, () => this.focus()),
      highlighted: () => highlightedClasses(this.store.state),
      help: () => this.help.showModal(),
    });
    this.legend = new MeasureLegend(manifest.verdict, this.store);
    this.channelLegend = new ChannelLegend(manifest, this.store, (layer, cell) => this.goTo(layer, cell));
    this.sampleLegend = new SampleLegend(manifest, this.store);
    this.showMenu = new MeasureMenu(manifest, this.store);
    const { page, firstPane, minimap } = this.createPage();
    const paneContext = { manifest, card: this.card, reportError: showFailure };
    const { dataset } = document.documentElement;
    if (this.store.state.split) dataset.split = ""; // start with the size that the map will have
    if (this.store.state.pin) dataset.pinned = "";
    if (this.store.state.selection) dataset.region = "";
    this.pane = new Pane(paneContext, this.store, firstPane, minimap);
    const { scenes, mapView, overlay, viewport } = this.pane;
    globalThis.atlas = {
      cellToPoint: (row, column) => viewport.cellToPoint(row, column),
      labels: () => this.pane.labels.visibleLabels,
    };
    this.pinnedCell = new PinnedCell(this.store, scenes, panel, viewport, manifest, showFailure);
    this.tool = new RegionTool(mapView, this.store, scenes, overlay, viewport);
    new SelectedRegion(manifest, this.store, scenes, viewport, page, {
      close: () => {
        this.tool.cancel();
        this.store.set({ selection: null });
        this.focus();
      },
      add: () => this.tool.toggle("lasso", true),
      choose: (classId, add) => this.toggle(classId, add),
      reportError: showFailure,
    });
    this.ownImage = new OwnImage(manifest, scenes, overlay, viewport, page, {
      pin: (cell) => this.pinnedCell.pin(cell),
      choose: (classId, add) => this.toggle(classId, add),
      onClose: () => this.focus(),
      reportError: showFailure,
    });
    this.palette = new PaletteTool(manifest, this.store, page, {
      onClose: () => this.focus(),
      uncover: () => this.store.set({ pin: null, selection: null }),
    });
    this.bookmarkList = new BookmarkList(manifest, this.store, {
      goToLink: (link, tour) => {
        this.reportMissing(link);
        goToLink(manifest, this.store, mapView, link, tour);
        this.pinnedCell.pendingReveal = this.store.state.pin;
      },
      onEnd: () => this.focus(),
      reportError: showFailure,
    });
    const zoom = createZoomButtons(mapView, () => this.goHome());
    this.split = new SplitView(
      paneContext,
      this.pane,
      (pin) => {
        this.pinnedCell.pendingReveal = pin;
      },
      (second) => this.ownImage.showSecondMap(second),
    );
    zoom.append(
      this.tool.buttons.box,
      this.tool.buttons.lasso,
      this.split.button,
      this.bookmarkList.button,
      this.palette.button,
      this.showMenu.button,
      this.showMenu.element,
    );
    page.append(this.classToolbar.element, this.bookmarkList.tour.element, zoom, panel.element);
    const dialogs = [
      this.help,
      this.classDialog.dialog,
      this.polysemanticCells.dialog,
      provenance.dialog,
      this.bookmarkList.dialog,
      this.ownImage.dialog,
    ];
    document.body.append(this.card.element, ...dialogs, announcementRegion());
    this.axis = new ComparisonAxis(manifest, mapView, overlay, this.store, this.pane.obstacles);
    viewport.subject = () => subjectOf(this.store.state);
    this.hashSync = new HashSync(manifest, this.store, {
      before: (hash) => this.reportMissing(hash),
      after: (state) => this.showLink(state),
    });
  }

  start(): void {
    const { canvas } = this.pane;
    labelCanvas(canvas);
    keepFocus(canvas);
    const {
      manifest,
      store,
      pinFollower,
      split,
      pinnedCell,
      bookmarkList,
      ownImage,
      palette,
      tool,
      help,
      atlases,
      classDialog,
      polysemanticCells,
      styles,
      showMenu,
    } = this;
    const { scenes, mapView, cursor } = this.pane;
    scenes.onChange((scene) => this.show(scene));
    store.subscribe((state, before) => this.stateChanged(state, before));
    this.pane.listen((cell) => tool.click(cell) || pinnedCell.pin(cell));
    const search = this.search.input;
    listenToKeys(
      shortcuts({
        manifest,
        store,
        pinFollower,
        scenes,
        mapView,
        home: () => this.goHome(),
        cursor,
        split,
        pinnedCell,
        bookmarkList,
        ownImage,
        palette,
        tool,
        search,
        help,
        atlases,
        classDialog,
        polysemanticCells,
        styles,
        showMenu,
      }),
    );
    this.reportMissing(location.hash);
    this.showLink(store.state, true);
    split.start();
    mapView.onMove(() => scenes.setZoom(mapView.frame().side));
    mapView.onRest(() => store.set({ view: mapView.showsWholeAtlas() ? null : mapView.view() }));
    scenes.setZoom(mapView.frame().side);
    if (store.state.tour !== null) bookmarkList.tour.follow();
  }

  /** Move the map to what a link shows. */
  private showLink(state: State, immediately?: boolean): void {
    const { mapView } = this.pane;
    this.pinnedCell.pendingReveal = state.pin;
    mapView.layOut();
    mapView.go(initialView(mapView, state), immediately);
    const subject = subjectOf(state);
    if (subject) this.pane.viewport.revealBox(subject);
  }

  /** Show the whole atlas. */
  private goHome(): void {
    const { mapView } = this.pane;
    if (!mapView.showsWholeAtlas()) this.hashSync.jump();
    mapView.go(null);
  }

  /** Say what a link names and the run does not have. */
  private reportMissing(link: string): void {
    const missing = missingParts(link, this.manifest);
    if (missing.length) showNotice(describeMissing(missing));
    else closeNotice();
  }

  /** Add the header and the map area with its minimap and caption to the page. */
  private createPage(): PageLayout {
    const theme = createThemeButton(() => {
      this.pane?.overlay.rebuild();
      this.split?.rebuild();
    });
    const layers = createLayerSwitch(this.manifest, this.store, (layer) => this.pinFollower.go(layer));
    const polysemanticCells = this.polysemanticCells.createOpenButton();
    const hasEvidence = isRecorded(this.manifest, "attributions") || isRecorded(this.manifest, "judge");
    const ways = createTools(
      ...(polysemanticCells ? [polysemanticCells] : []),
      ...(hasEvidence ? [createEvidenceLink()] : []),
      createOwnImageButton(() => this.ownImage.open()),
      createCopyLinkButton(() => new URL(toHash(this.store.state), location.href).href),
      theme,
      createHelpButton(this.help),
    );
    const [atlases, levels, search] = [this.atlases.element, this.levels.element, this.search.element];
    const styles = this.styles.element;
    const head = new Header(this.manifest, { atlases, layers, levels, styles, search, tools: ways });
    const room = createPageLayout();
    const legends = [this.legend.element, this.channelLegend.element, this.sampleLegend.element];
    room.corner.append(this.caption.element, this.secondSet.element, ...legends);
    const introduction = createIntroduction({
      startTour: () => this.bookmarkList.tour.start().catch(showFailure),
      openHelp: () => this.help.showModal(),
      onClose: () => this.focus(),
    });
    document.body.append(head.element, introduction, room.page);
    head.arrange();
    return room;
  }

  private show(scene: Scene): void {
    this.pane.show(scene);
    this.axis.show(scene);
    this.levels.show(scene);
    this.classToolbar.show(scene);
    this.caption.show(scene);
    this.secondSet.show(scene);
    this.legend.show(scene);
    this.channelLegend.show(scene);
    this.sampleLegend.show(scene);
    this.card.hide();
    this.pinnedCell.show(scene);
    this.hashSync.writeHash();
    const root = document.documentElement;
    root.dataset.level = String(scene.level.size);
    root.dataset.ready = `${scene.level.name}/${scene.highlights.map(({ id }) => id).join(".")}`;
    root.dataset.style = scene.photographs ? "photographs" : styleOf(scene.atlas);
    root.dataset.density = scene.density?.of ?? "";
    root.dataset.samples = scene.samples ? "on" : "";
    root.dataset.channel = String(scene.channel?.channel ?? "");
  }

  private stateChanged(state: State, before: State): void {
    const { scenes, mapView } = this.pane;
    const { current: scene } = scenes;
    this.moveTo(state, before);
    if (state.pin !== before.pin && scene) {
      this.card.hide();
      this.pinnedCell.show(scene);
    }
    if (state.sign !== before.sign && scene) this.classToolbar.show(scene);
    announceChange(this.manifest, state, before);
    const sized = (["atlas", "layer", "level"] as const).some((key) => state[key] !== before[key]);
    if (sized) scenes.setZoom(mapView.frame().side);
    if (!scenes.busy) this.hashSync.writeHash(); // the URL is that of what is shown
  }

  /** Move the map after a change of the atlas, or of the pin together with the view. */
  private moveTo(state: State, before: State): void {
    const moved = state.view !== before.view;
    if (moved && state.pin && state.pin !== before.pin) {
      this.pinnedCell.pendingReveal = state.pin;
      this.pane.mapView.go(state.view, true);
    } else if (state.atlas !== before.atlas) this.pane.mapView.go(state.view);
  }

  /** Highlight only this class, or add it to the others; a second call ends it. */
  private toggle(classId: number, add: boolean): void {
    const { state } = this.store;
    const alone = state.classId === classId && !state.also.length;
    this.store.set(add ? addClass(state, classId) : { classId: alone ? null : classId });
  }

  /** Pin a cell of another layer and move it into view. */
  private goTo(layer: string, cell: CellAddress): void {
    this.store.set({ layer, pin: cell });
    const { row: top, column: left, size } = cell;
    this.pane.viewport.revealBox({ size, top, left, bottom: top, right: left });
    this.focus();
  }

  private closePanel(): void {
    this.pinnedCell.unpin();
    this.focus();
  }

  private focus(): void {
    this.pane.focus();
  }
}

/** Cells that the state is about. */
function subjectOf({ pin, selection }: State): Box | null {
  if (!pin) return selection?.bounds ?? null;
  const { size, row, column } = pin;
  return { size, top: row, bottom: row, left: column, right: column };
}

// Announcements of state changes.

const list = new Intl.ListFormat("en-US");

export function announceChange(manifest: Manifest, state: State, before: State): void {
  if (state.classId !== before.classId || state.also.join() !== before.also.join()) {
    const names = highlightedClasses(state).map(({ id }) => manifest.network.classes[id] ?? `class ${id}`);
    const full = names.length === MAX_CLASSES ? ", no more than these" : "";
    announce(names.length ? `Highlighting ${list.format(names)}${full}` : "All classes");
  }
  const shown = find(manifest, state.layer, state.atlas, state.style).atlas;
  if (state.atlas !== before.atlas) announce(atlasDescription(manifest, shown));
  else if (state.level !== before.level || state.layer !== before.layer)
    announce(`Layer ${state.layer}, grid level ${state.level ?? "by zoom"}`);
  else if (state.photographs !== before.photographs)
    announce(
      state.photographs ? "Photographs: the patch of each cell's nearest exemplar" : "Icons of the cells",
    );
  else if (state.style !== before.style) {
    const { name, meaning } = STYLE_INFOS[styleOf(shown)];
    announce(`${name} icons: ${meaning}`);
  }
}
