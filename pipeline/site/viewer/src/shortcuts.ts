// What the keys do.

import type { AtlasChooser } from "./atlas-chooser";
import type { Beside } from "./beside";
import type { ClassSheet } from "./class-sheet";
import type { Cursor } from "./cursor";
import type { KeyActions } from "./keyboard";
import { find, type Manifest } from "./manifest";
import { nextMeasure } from "./measure-kinds";
import type { Picture } from "./picture";
import type { Pins } from "./pins";
import type { PlaceList } from "./places";
import type { RegionTool } from "./region-tool";
import type { Stage } from "./scene";
import type { Store } from "./state";
import type { Trail } from "./trail";
import type { UsesList } from "./uses-list";

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
