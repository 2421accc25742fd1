// Keyboard shortcuts. Keys typed into a field or pressed on a control are ignored.

import type { ClassDialog } from "../classes/class-dialog";
import type { PolysemanticCellsDialog } from "../classes/polysemantic-cells";
import { find, type Manifest, sizesWithIcons } from "../data/manifest";
import { nextMeasure } from "../data/measures";
import { isRecorded, notRecorded } from "../data/recorded";
import type { AtlasMenu } from "../header/atlas-menu";
import type { StyleSwitch } from "../header/style-switch";
import type { MapView } from "../map/map-view";
import type { OwnImage } from "../own-image/own-image";
import type { PaletteTool } from "../palette/palette-tool";
import type { MeasureMenu } from "../panels/measure-menu";
import type { PinFollower } from "../panels/other-layers";
import type { PinnedCell } from "../panels/pinned-cell";
import type { RegionTool } from "../regions/region-tool";
import type { Cursor } from "../split/cursor";
import type { SplitView } from "../split/split-view";
import type { SceneStore } from "../state/scene";
import type { Store } from "../state/state";
import type { BookmarkList } from "../tour/bookmark-list";
import { announce } from "../ui/accessibility";

export interface KeyActions {
  /** Move the cursor to the next cell with an icon in a direction. */
  step(rows: number, columns: number): void;
  pan(right: number, down: number): void;
  zoom(steps: number): void;
  home(): void;
  /** With Shift, a region that is being drawn is added to the selection. */
  pin(shift: boolean): void;
  back(): void;
  level(step: number): void;
  autoLevel(): void;
  nextLayer(): void;
  selectRegion(): void;
  lasso(): void;
  toggleCell(): void;
  search(): void;
  help(): void;
  atlases(): void;
  classDialog(): void;
  polysemanticCells(): void;
  split(): void;
  /** Color the cells by the next measure. */
  measure(): void;
  /** Ask for a channel that colors the cells. */
  channel(): void;
  /** Show samples as points, or no longer. */
  samples(): void;
  labels(): void;
  /** Show the icons in the next style. */
  style(): void;
  /** Show photographs in place of icons, or icons again. */
  photographs(): void;
  marks(): void;
  bookmarks(): void;
  /** Choose an image of the user's own. */
  ownImage(): void;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};
const PAN = 0.15;
const REPEATED = new Set([...Object.keys(ARROWS), "+", "=", "-", ",", "."]); // others act once while a key is held

const TYPED = new Set(["text", "number"]); // of the fields whose keys are not shortcuts

export function listenToKeys(actions: KeyActions): void {
  const keys: Readonly<Record<string, () => void>> = {
    "+": () => actions.zoom(1),
    "=": () => actions.zoom(1),
    "-": () => actions.zoom(-1),
    "0": actions.home,
    ",": () => actions.level(-1),
    ".": () => actions.level(1),
    a: actions.autoLevel,
    l: actions.nextLayer,
    b: actions.selectRegion,
    f: actions.lasso,
    x: actions.toggleCell,
    "/": actions.search,
    "?": actions.help,
    o: actions.atlases,
    s: actions.classDialog,
    u: actions.polysemanticCells,
    c: actions.split,
    v: actions.measure,
    k: actions.channel,
    m: actions.samples,
    n: actions.labels,
    i: actions.style,
    e: actions.photographs,
    d: actions.marks,
    p: actions.bookmarks,
    t: actions.ownImage,
    Escape: actions.back,
  };
  const root = document.documentElement;
  let held: string | null = null; // key of a shortcut while it is down
  const isHeld = ({ key, repeat }: KeyboardEvent): boolean => repeat && key === held;
  document.addEventListener("keyup", () => {
    held = null;
  });
  document.addEventListener("pointerdown", () => root.removeAttribute("data-keyboard"), true);
  document.addEventListener("keydown", (event) => {
    root.setAttribute("data-keyboard", "");
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (takesKeys(target) && !isHeld(event)) return;
    const action = keys[event.key] ?? (isOnMap(target) ? mapAction(event, actions) : null);
    held = event.key;
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || REPEATED.has(event.key)) action();
  });
}

/** Whether what has the focus takes letters itself: a field, or a list, in which they choose an option. */
function takesKeys(target: EventTarget | null): boolean {
  if (target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && TYPED.has(target.type);
}

function isOnMap(target: EventTarget | null): boolean {
  return (
    target === document.body || (target instanceof Element && target.matches(".pane .openseadragon-canvas"))
  );
}

function mapAction(event: KeyboardEvent, actions: KeyActions): (() => void) | null {
  if (event.key === "Enter" || event.key === " ") return () => actions.pin(event.shiftKey);
  const arrow = ARROWS[event.key];
  if (!arrow) return null;
  const [rows, columns] = arrow;
  return event.shiftKey ? () => actions.pan(PAN * columns, PAN * rows) : () => actions.step(rows, columns);
}

// Actions of the shortcuts.

export interface AppParts {
  readonly manifest: Manifest;
  readonly store: Store;
  readonly pinFollower: PinFollower;
  readonly scenes: SceneStore;
  readonly mapView: MapView;
  /** Show the whole atlas. */
  home(): void;
  readonly cursor: Cursor;
  readonly split: SplitView;
  readonly pinnedCell: PinnedCell;
  readonly bookmarkList: BookmarkList;
  readonly ownImage: OwnImage;
  readonly palette: PaletteTool;
  readonly tool: RegionTool;
  readonly search: HTMLInputElement;
  readonly help: HTMLDialogElement;
  readonly atlases: AtlasMenu;
  readonly classDialog: ClassDialog;
  readonly polysemanticCells: PolysemanticCellsDialog;
  readonly styles: StyleSwitch;
  readonly showMenu: MeasureMenu;
}

export function shortcuts(parts: AppParts): KeyActions {
  const { store, mapView, cursor, split, tool } = parts;
  return {
    step: (rows, columns) => tool.step(rows, columns) || (split.cursor ?? cursor).step(rows, columns),
    pan: (right, down) => mapView.pan(right, down),
    zoom: (steps) => mapView.zoom(steps),
    home: () => parts.home(),
    pin: (shift) => tool.corner(cursor.cell, shift) || pinOrFocusPanel(parts),
    back: () => goBack(parts),
    level: (step) => stepLevel(parts, step),
    autoLevel: () => store.set({ level: null }),
    nextLayer: () => nextLayer(parts),
    selectRegion: () => tool.toggle("box"),
    lasso: () => tool.toggle("lasso"),
    toggleCell: () => tool.toggleCell(cursor.cell),
    search: () => withAttributions(parts, () => parts.search.focus()),
    help: () => parts.help.showModal(),
    atlases: () => parts.atlases.open(),
    classDialog: () => openClassDialog(parts),
    polysemanticCells: () => withAttributions(parts, () => parts.polysemanticCells.open()),
    split: () => split.toggle(),
    measure: () => store.set({ measure: nextMeasure(store.state.measure) }),
    channel: () => parts.showMenu.openChannel(),
    samples: () => parts.showMenu.showSamples(),
    style: () => parts.styles.next(),
    photographs: () => parts.styles.togglePhotographs(),
    labels: () => withAttributions(parts, () => store.set({ labels: !store.state.labels })),
    marks: () => store.set({ marks: !store.state.marks }),
    bookmarks: () => parts.bookmarkList.open(),
    ownImage: () => parts.ownImage.open(),
  };
}

/** Pin the cell at the cursor; if it is already pinned or there is none, focus the panel. */
function pinOrFocusPanel({ store, scenes, cursor, split, pinnedCell }: AppParts): void {
  if (split.pin()) return;
  const { pin } = store.state;
  const level = scenes.current?.level;
  const pinned = pin && level?.size === pin.size ? level.at(pin.row, pin.column) : -1;
  if (cursor.cell >= 0 && cursor.cell !== pinned) pinnedCell.pin(cursor.cell);
  else document.querySelector<HTMLElement>(".map-area > .panel:not([hidden])")?.focus();
}

/** Undo the latest choice: tool, pin or region, palette, own image, cursor, second map, class. */
function goBack({ store, cursor, split, pinnedCell, ownImage, palette, tool }: AppParts): void {
  if (tool.cancel()) return;
  if (store.state.pin) pinnedCell.unpin();
  else if (store.state.selection) store.set({ selection: null });
  else if (palette.close()) return;
  else if (ownImage.close()) return;
  else if (cursor.cell >= 0) cursor.leave();
  else if (split.leave()) return;
  else store.set({ classId: null, show: "attribution", sign: 1, intensity: 1 });
}

/** Open the dialog of the highlighted class; the next keys are shortcuts again, so the search is not focused. */
function openClassDialog({ manifest, store, classDialog }: AppParts): void {
  const { classId } = store.state;
  if (!isRecorded(manifest, "attributions")) announceMissing();
  else if (classId === null) announce("No class is highlighted: search for one first, with the key /.");
  else classDialog.open(classId);
}

function announceMissing(): void {
  announce(notRecorded("Class attributions were", "attributions"));
}

/** Run an action that needs attributions, or say that there are none. */
function withAttributions({ manifest }: AppParts, action: () => void): void {
  if (isRecorded(manifest, "attributions")) action();
  else announceMissing();
}

function stepLevel({ manifest, store, scenes }: AppParts, step: number): void {
  const { layer, atlas } = store.state;
  const sizes = sizesWithIcons(find(manifest, layer, atlas).atlas);
  const next = sizes[sizes.indexOf(scenes.current?.level.size ?? 0) + step];
  if (next !== undefined) store.set({ level: next });
}

function nextLayer({ manifest, store, pinFollower }: AppParts): void {
  const names = manifest.layers.map(({ name }) => name);
  const layer = names[(names.indexOf(store.state.layer) + 1) % names.length];
  if (layer !== undefined) pinFollower.go(layer);
}
