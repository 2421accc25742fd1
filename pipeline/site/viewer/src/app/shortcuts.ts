// Every key of the page. Keys typed into a field or pressed on a control stay there.

import type { ClassSheet } from "../classes/class-dialog";
import type { UsesList } from "../classes/polysemantic-cells";
import { find, type Manifest } from "../data/manifest";
import { nextMeasure } from "../data/measures";
import type { AtlasChooser } from "../header/atlas-menu";
import type { Picture } from "../map/picture";
import type { Trail } from "../panels/other-layers";
import type { Pins } from "../panels/pinned-cell";
import type { RegionTool } from "../regions/region-tool";
import type { Cursor } from "../split/cursor";
import type { Beside } from "../split/split-view";
import type { Stage } from "../state/scene";
import type { Store } from "../state/state";
import type { PlaceList } from "../tour/bookmark-list";

export interface KeyActions {
  /** Move the cursor to the next drawn cell in a direction. */
  step(rows: number, columns: number): void;
  pan(right: number, down: number): void;
  zoom(steps: number): void;
  home(): void;
  /** With Shift, a region that is being set is added to what is selected. */
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
  sheet(): void;
  uses(): void;
  beside(): void;
  /** Colour the cells by the next measure. */
  measure(): void;
  labels(): void;
  marks(): void;
  places(): void;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};
const PAN = 0.15;

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
    s: actions.sheet,
    u: actions.uses,
    c: actions.beside,
    v: actions.measure,
    n: actions.labels,
    d: actions.marks,
    p: actions.places,
    Escape: actions.back,
  };
  const root = document.documentElement;
  document.addEventListener("pointerdown", () => root.removeAttribute("data-keys"), true);
  document.addEventListener("keydown", (event) => {
    root.setAttribute("data-keys", "");
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (target instanceof HTMLInputElement && target.type === "text") return;
    const action = keys[event.key] ?? (onPicture(target) ? pictureKey(event, actions) : null);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function onPicture(target: EventTarget | null): boolean {
  return (
    target === document.body || (target instanceof Element && target.matches(".pane .openseadragon-canvas"))
  );
}

function pictureKey(event: KeyboardEvent, actions: KeyActions): (() => void) | null {
  if (event.key === "Enter" || event.key === " ") return () => actions.pin(event.shiftKey);
  const arrow = ARROWS[event.key];
  if (!arrow) return null;
  const [rows, columns] = arrow;
  return event.shiftKey ? () => actions.pan(PAN * columns, PAN * rows) : () => actions.step(rows, columns);
}

// What the keys do.

export interface Parts {
  readonly manifest: Manifest;
  readonly store: Store;
  readonly trail: Trail;
  readonly stage: Stage;
  readonly picture: Picture;
  readonly cursor: Cursor;
  readonly beside: Beside;
  readonly pins: Pins;
  readonly places: PlaceList;
  readonly tool: RegionTool;
  readonly search: HTMLInputElement;
  readonly help: HTMLDialogElement;
  readonly atlases: AtlasChooser;
  readonly sheet: ClassSheet;
  readonly uses: UsesList;
}

export function shortcuts(parts: Parts): KeyActions {
  const { store, picture, cursor, beside, tool } = parts;
  return {
    step: (rows, columns) => tool.step(rows, columns) || (beside.cursor ?? cursor).step(rows, columns),
    pan: (right, down) => picture.pan(right, down),
    zoom: (steps) => picture.zoom(steps),
    home: () => picture.go(null),
    pin: (shift) => tool.corner(cursor.cell, shift) || pin(parts),
    back: () => back(parts),
    level: (step) => stepLevel(parts, step),
    autoLevel: () => store.set({ level: null }),
    nextLayer: () => nextLayer(parts),
    selectRegion: () => tool.toggle("box"),
    lasso: () => tool.toggle("lasso"),
    toggleCell: () => tool.toggleCell(cursor.cell),
    search: () => parts.search.focus(),
    help: () => parts.help.showModal(),
    atlases: () => parts.atlases.open(),
    sheet: () => sheet(parts),
    uses: () => parts.uses.open(),
    beside: () => beside.toggle(),
    measure: () => store.set({ measure: nextMeasure(store.state.measure) }),
    labels: () => store.set({ labels: !store.state.labels }),
    marks: () => store.set({ marks: !store.state.marks }),
    places: () => parts.places.open(),
  };
}

/** Pin the cell under the cursor; where that is pinned or there is none, go into the panel. */
function pin({ store, stage, cursor, beside, pins }: Parts): void {
  if (beside.pin()) return;
  const { pin } = store.state;
  const level = stage.scene?.level;
  const pinned = pin && level?.size === pin.size ? level.at(pin.row, pin.column) : -1;
  if (cursor.cell >= 0 && cursor.cell !== pinned) pins.pin(cursor.cell);
  else document.querySelector<HTMLElement>(".stage > .panel:not([hidden])")?.focus();
}

/** Undo the latest choice: the tool, the pin or the region, else the cursor, the second picture, or else the class. */
function back({ store, cursor, beside, pins, tool }: Parts): void {
  if (tool.cancel()) return;
  if (store.state.pin) pins.unpin();
  else if (store.state.selection) store.set({ selection: null });
  else if (cursor.cell >= 0) cursor.leave();
  else if (beside.leave()) return;
  else store.set({ classId: null, show: "attribution", sign: 1, intensity: 1 });
}

/** The chosen class at every layer; without one, the search for one. */
function sheet({ store, sheet, search }: Parts): void {
  const { classId } = store.state;
  if (classId === null) search.focus();
  else sheet.open(classId);
}

function stepLevel({ manifest, store, stage }: Parts, step: number): void {
  const { layer, atlas } = store.state;
  const sizes = find(manifest, layer, atlas).atlas.levels.map(({ size }) => size);
  const next = sizes[sizes.indexOf(stage.scene?.level.size ?? 0) + step];
  if (next !== undefined) store.set({ level: next });
}

function nextLayer({ manifest, store, trail }: Parts): void {
  const names = manifest.layers.map(({ name }) => name);
  const layer = names[(names.indexOf(store.state.layer) + 1) % names.length];
  if (layer !== undefined) trail.go(layer);
}
