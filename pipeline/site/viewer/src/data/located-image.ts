// Where the positions of a user's own image fall, as the local server of `atlas browse` answers. A page that another
// server or no server has sent knows of none, and asks nothing.

import type { ClassValue, GridView, LevelData } from "./level";

const NAME = "try-image"; // the address, and the end of the name of the element that tells of it
const MEGABYTE = 2 ** 20;

/** Bytes of the largest image that the page's server takes; null where it takes none. */
export function largestImage(): number | null {
  const told = document.querySelector<HTMLMetaElement>(`meta[name="atlas-${NAME}"]`);
  return told ? Number(told.content) : null;
}

/** A cell that positions of the image fall in. */
export interface FoundCell {
  readonly cell: number;
  /** Numbers of the positions, in reading order. */
  readonly positions: readonly number[];
  /** Largest similarity of a position to the cell's mean. */
  readonly best: number;
}

/** What the server answers. */
interface Answer {
  readonly picture: string;
  readonly classes: readonly { readonly id: number; readonly probability: number }[] | null;
  readonly map: readonly [number, number];
  readonly inset: readonly [number, number];
  readonly cell: readonly (readonly [number, number])[];
  readonly similarity: readonly number[];
}

/** The positions of an image on a grid level. Positions are counted in reading order, without those left out. */
export class LocatedImage {
  /** Data URL of what the network sees. */
  readonly picture: string;
  /** Top classes with their probabilities, largest first; null for a network without classes. */
  readonly classes: readonly ClassValue[] | null;
  /** Of the layer's map. */
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns left out at each side, as the atlas leaves them out. */
  readonly inset: readonly [number, number];
  /** Cells with the most positions first. */
  readonly cells: readonly FoundCell[];
  /** Centered cosine of each position's activation to the mean of its cell. */
  readonly similarity: readonly number[];
  private readonly cellOf: readonly number[];

  constructor(
    readonly level: LevelData,
    answer: Answer,
  ) {
    this.picture = answer.picture;
    this.classes = answer.classes?.map(({ id, probability }) => ({ id, value: probability })) ?? null;
    [this.rows, this.columns] = answer.map;
    this.inset = answer.inset;
    this.similarity = answer.similarity;
    this.cellOf = answer.cell.map(([row, column]) => level.at(row, column));
    const positions = new Map<number, number[]>();
    for (const [position, cell] of this.cellOf.entries()) {
      if (cell < 0) throw new Error("The site is of another run than its server: run “atlas run” again.");
      const found = positions.get(cell);
      if (found) found.push(position);
      else positions.set(cell, [position]);
    }
    this.cells = [...positions]
      .map(([cell, found]) => ({
        cell,
        positions: found,
        best: Math.max(...found.map((at) => this.similarityOf(at))),
      }))
      .sort((one, other) => other.positions.length - one.positions.length || other.best - one.best);
  }

  get positions(): number {
    return this.cellOf.length;
  }

  get meanSimilarity(): number {
    return this.similarity.reduce((sum, value) => sum + value, 0) / this.positions;
  }

  similarityOf(position: number): number {
    return this.similarity[position] ?? Number.NaN;
  }

  /** The cell that a position falls in; -1 for no position. */
  cellAt(position: number): number {
    return this.cellOf[position] ?? -1;
  }

  /** Row and column of a position in the layer's map. */
  placeOf(position: number): { row: number; column: number } {
    const across = this.columns - 2 * this.inset[1];
    return {
      row: this.inset[0] + Math.floor(position / across),
      column: this.inset[1] + (position % across),
    };
  }

  /** The position at a row and column of the map; -1 for one that is left out. */
  positionAt(row: number, column: number): number {
    const [down, across] = [this.rows - 2 * this.inset[0], this.columns - 2 * this.inset[1]];
    const [inRow, inColumn] = [row - this.inset[0], column - this.inset[1]];
    if (inRow < 0 || inColumn < 0 || inRow >= down || inColumn >= across) return -1;
    return inRow * across + inColumn;
  }
}

/** Mean similarity of the atlas's own samples to the means of their cells. */
export function ownSimilarity(level: LevelData): number {
  let [sum, samples] = [0, 0];
  for (let cell = 0; cell < level.cells; cell++) {
    const spread = level.value("spread", cell);
    if (!level.hasIcon(cell) || Number.isNaN(spread)) continue;
    sum += level.value("count", cell) * (1 - spread);
    samples += level.value("count", cell);
  }
  return sum / samples;
}

/** Send the image to the server of the page; rejects with one line, or with an AbortError. */
export async function locateImage(image: File, view: GridView, signal: AbortSignal): Promise<LocatedImage> {
  const limit = largestImage() ?? 0;
  if (image.size > limit) {
    const [most, found] = [limit, image.size].map((bytes) => Math.ceil(bytes / MEGABYTE));
    throw new Error(`image: expected a file of at most ${most} MB, found ${found} MB; make it smaller`);
  }
  const { layer, atlas, level } = view;
  const shown = new URLSearchParams({ layer: layer.name, atlas: atlas.name, level: String(level.size) });
  const body = new Blob([image], {
    type: image.type.startsWith("image/") ? image.type : "application/octet-stream",
  });
  let response: Response;
  try {
    response = await fetch(`${NAME}?${shown}`, { method: "POST", body, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(
      "The server does not answer. Start it again: “atlas browse” in the folder of the project.",
    );
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer) return new LocatedImage(level, answer as Answer);
  throw new Error(
    (answer as { error?: string } | null)?.error ?? `The server answered with ${response.status}.`,
  );
}
