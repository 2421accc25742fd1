// The shown scene: layer, atlas and grid level with their loaded data.

import { type Heatmap, loadHeatmap } from "../data/attribution";
import { type Density, loadDensity } from "../data/density";
import { styleOf } from "../data/icon-styles";
import { type GridView, type LevelData, loadLevel } from "../data/level";
import { type AtlasEntry, find, type LayerEntry, type Manifest, sizesWithIcons } from "../data/manifest";
import { type Highlight, type HighlightedClass, highlightedClasses } from "./class-selection";
import type { State, Store } from "./state";

export interface Scene extends GridView {
  /** Heatmap of the highlighted class, or of the first of several. */
  readonly heatmap: Heatmap | null;
  /** All highlighted classes, in the order of selection. */
  readonly highlights: readonly Highlight[];
  /** Density of the class or of the second image set, while it is shown. */
  readonly density: Density | null;
  /** In a comparison, heatmaps of the left and the right class. */
  readonly sides: readonly [Heatmap, Heatmap] | null;
}

type Listener = (scene: Scene) => void;

export class SceneStore {
  private listeners: Listener[] = [];
  private latest: Scene | null = null;
  private requested = "";
  private size: number | null = null;

  constructor(
    private readonly manifest: Manifest,
    private readonly store: Store,
    private readonly reportError: (error: unknown) => void,
  ) {
    store.subscribe(() => this.refresh());
  }

  get current(): Scene | null {
    return this.latest;
  }

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Set the side of the whole atlas on the screen, CSS pixels; the automatic level follows it. */
  setZoom(side: number): void {
    const { layer, atlas, level } = this.store.state;
    const sizes = sizesWithIcons(find(this.manifest, layer, atlas).atlas);
    const size = level ?? levelForZoom(sizes, side, this.size);
    if (size === this.size) return;
    this.size = size;
    this.refresh();
  }

  /** The same scene at another grid level. */
  loadSceneAt(size: number): Promise<Scene> {
    const { state } = this.store;
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
    const requested = [state.layer, state.atlas, styleOf(atlas), this.size, ...classes, state.show].join("/");
    if (requested === this.requested) return;
    this.requested = requested;
    this.loadScene(layer, atlas, this.size, state).then(
      (scene) => requested === this.requested && this.publish(scene),
      (error) => {
        if (requested === this.requested) this.requested = ""; // the next change retries
        this.reportError(error);
      },
    );
  }

  private async loadScene(layer: LayerEntry, atlas: AtlasEntry, size: number, state: State): Promise<Scene> {
    const level = await loadLevel(layer.name, atlas.name, size, atlas.style);
    const highlights = await loadHighlights(layer, atlas, level, highlightedClasses(state));
    const heatmap = highlights[0]?.heatmap ?? null;
    const density = await loadDensity(this.manifest, layer, atlas, level, state);
    return { layer, atlas, level, heatmap, highlights, density, sides: await loadSides(layer, atlas, level) };
  }

  private publish(scene: Scene): void {
    this.latest = scene;
    for (const listener of this.listeners) listener(scene);
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
