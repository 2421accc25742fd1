// The shown scene: layer, atlas and grid level with their loaded data.

import { type Heatmap, loadHeatmap } from "../data/attribution";
import { type ChannelMap, loadChannelMap } from "../data/channels";
import { type Density, loadDensity } from "../data/density";
import { styleOf } from "../data/icon-styles";
import { type GridView, type LevelData, loadLevel } from "../data/level";
import { type AtlasEntry, find, type LayerEntry, type Manifest, sizesWithIcons } from "../data/manifest";
import { loadSamples, type SampleSet } from "../data/samples";
import { type Highlight, type HighlightedClass, highlightedClasses } from "./class-selection";
import { type State, Store } from "./state";

export interface Scene extends GridView {
  /** Whether the map shows photographs in place of icons. */
  readonly photographs: boolean;
  /** Heatmap of the highlighted class, or of the first of several. */
  readonly heatmap: Heatmap | null;
  /** All highlighted classes, in the order of selection. */
  readonly highlights: readonly Highlight[];
  /** Density of the class or of the second image set, while it is shown. */
  readonly density: Density | null;
  /** The channel whose mean activation colors the cells. */
  readonly channel: ChannelMap | null;
  /** The samples that are drawn as points. */
  readonly samples: SampleSet | null;
  /** In a comparison, heatmaps of the left and the right class. */
  readonly sides: readonly [Heatmap, Heatmap] | null;
}

type Listener = (scene: Scene) => void;

/** Where scenes are seen. */
export interface Picture {
  /** Load what it needs to show the scene, without a visible change; rejects if it cannot be loaded. */
  load(scene: Scene): Promise<void>;
}

/**
 * The scene that is shown, and what it is a scene of. A change of the page's state becomes visible as a whole: when data and
 * picture of the new scene are loaded. A failed load keeps the old scene and returns the page's state to it.
 */
export class SceneStore {
  /** State that the shown scene is of; it follows the page's state once the scene does. */
  readonly shown: Store;
  private listeners: Listener[] = [];
  private busyListeners: ((busy: boolean) => void)[] = [];
  private latest: Scene | null = null;
  /** Of the shown scene, and of the requested one. */
  private shownKey = "";
  private requested = "";
  private size: number | null = null;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly picture: Picture,
    private readonly reportError: (error: unknown) => void,
  ) {
    this.shown = new Store(store.state);
    this.size = store.state.pin?.size ?? null; // the level that a link is about, as long as the zoom allows it
    store.subscribe(() => this.refresh());
  }

  get current(): Scene | null {
    return this.latest;
  }

  /** Whether another scene than the shown one is being loaded. */
  get busy(): boolean {
    return this.requested !== this.shownKey || !this.latest;
  }

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Call back when a load begins or ends. */
  onBusy(listener: (busy: boolean) => void): void {
    this.busyListeners.push(listener);
  }

  /** Set the side of the whole atlas on the screen, CSS pixels; the automatic level follows it. */
  setZoom(side: number): void {
    const { layer, atlas, level } = this.store.state;
    const sizes = sizesWithIcons(find(this.manifest, layer, atlas).atlas);
    const size = level ?? levelForZoom(sizes, side, this.size);
    if (size === this.size && this.requested) return;
    this.size = size;
    this.refresh();
  }

  /** The shown scene at another grid level. */
  loadSceneAt(size: number): Promise<Scene> {
    const { state } = this.shown;
    const { layer, atlas } = find(this.manifest, state.layer, state.atlas, state.style);
    return this.loadScene(layer, atlas, size, state);
  }

  private refresh(): void {
    const { state } = this.store;
    if (state.level !== null) this.size = state.level;
    if (this.size === null) return;
    const { layer, atlas } = find(this.manifest, state.layer, state.atlas, state.style);
    const sizes = state.level === null ? sizesWithIcons(atlas) : atlas.levels.map(({ size }) => size);
    if (!sizes.includes(this.size)) this.size = sizes[0] ?? this.size;
    const classes = highlightedClasses(state).map(({ id, hue }) => `${id}.${hue}`);
    const picture = state.photographs ? "photographs" : styleOf(atlas);
    const what = [state.layer, state.atlas, styleOf(atlas), picture];
    const requested = [...what, this.size, ...classes, state.show, state.channel ?? ""].join("/");
    if (requested === this.requested) {
      if (!this.busy) this.shown.set(state);
      return;
    }
    this.requested = requested;
    for (const listener of this.busyListeners) listener(true);
    this.load(requested, layer, atlas, this.size, state).catch((error) => {
      if (requested !== this.requested) return;
      this.returnToShown();
      this.reportError(error);
    });
  }

  private async load(
    requested: string,
    layer: LayerEntry,
    atlas: AtlasEntry,
    size: number,
    state: State,
  ): Promise<void> {
    const scene = await this.loadScene(layer, atlas, size, state);
    if (requested !== this.requested) return;
    if (this.latest) await this.picture.load(scene); // the first one may come in tile by tile
    if (requested === this.requested) this.publish(scene, requested);
  }

  private async loadScene(layer: LayerEntry, atlas: AtlasEntry, size: number, state: State): Promise<Scene> {
    const level = await loadLevel(layer.name, atlas.name, size, atlas.style);
    const highlights = await loadHighlights(layer, atlas, level, highlightedClasses(state));
    const heatmap = highlights[0]?.heatmap ?? null;
    const density = await loadDensity(this.manifest, layer, atlas, level, state);
    const channel =
      state.channel === null ? null : await loadChannelMap({ layer, atlas, level }, state.channel);
    const samples = state.show === "samples" ? await loadSamples({ layer, atlas }) : null;
    const sides = await loadSides(layer, atlas, level);
    const photographs =
      state.photographs && atlas.levels.some((entry) => entry.size === size && entry.photograph);
    return { layer, atlas, level, photographs, heatmap, highlights, density, channel, samples, sides };
  }

  private publish(scene: Scene, key: string): void {
    this.latest = scene;
    this.shownKey = key;
    this.shown.set(this.store.state);
    for (const listener of this.listeners) listener(scene);
    for (const listener of this.busyListeners) listener(false);
  }

  private returnToShown(): void {
    this.requested = this.shownKey; // a later change tries again
    for (const listener of this.busyListeners) listener(false);
    if (!this.latest) return;
    this.size = this.latest.level.size;
    const { view, split, ...shown } = this.shown.state;
    this.store.set(shown);
  }
}

async function loadHighlights(
  layer: LayerEntry,
  atlas: AtlasEntry,
  level: LevelData,
  classes: readonly HighlightedClass[],
): Promise<Highlight[]> {
  const { heatmap } = atlas;
  if (!heatmap) return [];
  const load = (id: number): Promise<Heatmap> => loadHeatmap(heatmap, layer.name, atlas.name, level, id);
  return Promise.all(classes.map(async ({ id, hue }) => ({ id, hue, heatmap: await load(id) })));
}

async function loadSides(layer: LayerEntry, atlas: AtlasEntry, level: LevelData): Promise<Scene["sides"]> {
  const { kind, classes, heatmap } = atlas;
  const [left, right] = classes;
  if (kind !== "compare" || !heatmap || left === undefined || right === undefined) return null;
  const load = (classId: number): Promise<Heatmap> =>
    loadHeatmap(heatmap, layer.name, atlas.name, level, classId);
  return [await load(left), await load(right)];
}

// Automatic grid level.

const COMFORTABLE_CELL = 30;
const HYSTERESIS = 0.85;

/**
 * The finest level whose cells are large enough on the screen.
 *
 * @param sizes cells per side of the levels, coarse to fine.
 * @param side of the whole atlas on the screen, CSS pixels.
 * @param shown current level, kept a little longer (hysteresis), so that small movements do not flicker.
 */
export function levelForZoom(sizes: readonly number[], side: number, shown: number | null): number {
  const fits = sizes.filter((size) => side / size >= COMFORTABLE_CELL * (size === shown ? HYSTERESIS : 1));
  return fits.at(-1) ?? sizes[0] ?? 1;
}
