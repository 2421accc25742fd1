// Which names have room at which zoom. A name that has its place keeps it while one zooms in, since names of a constant
// size only move apart; finer ones join where there is room. Decided once for each step of the zoom, never in a frame.

/** A name with what the layout must know of it; lengths in CSS pixels, places in sides of the atlas. */
export interface Sized {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Sides of the whole atlas on the screen between which the name is wanted. */
  readonly from: number;
  readonly until: number;
  /** Names of a higher rank give way to those of a lower one. */
  readonly rank: number;
}

const STEP = Math.SQRT2;
const FIRST = 128; // smaller atlases bear no names
const BUCKET = 96;
const [ACROSS, ABOVE] = [26, 18]; // what stays free between names
const AGAIN = 300; // from a name to the same one

/** The choice of names at every zoom. */
export class Layout<Name extends Sized> {
  private readonly steps: (readonly Name[])[] = [];

  /** The most important names come first. */
  constructor(private readonly names: readonly Name[]) {}

  /** The names that stand on an atlas of this side; none overlaps another. */
  at(side: number): readonly Name[] {
    const step = Math.floor(Math.log(side / FIRST) / Math.log(STEP) + 1e-9);
    if (!(step >= 0)) return [];
    for (let next = this.steps.length; next <= step; next++) this.steps.push(this.placed(next));
    return this.steps[step] ?? [];
  }

  private placed(step: number): Name[] {
    const side = FIRST * STEP ** step;
    const before = new Set(this.steps[step - 1]);
    const wanted = this.names.filter(({ from, until }) => from <= side && side < until);
    const room = new Room<Name>(side);
    const order = ranks(wanted).flatMap((rank) => [
      ...rank.filter((name) => before.has(name)),
      ...rank.filter((name) => !before.has(name)),
    ]);
    return order.filter((name) => room.take(name));
  }
}

/** Names by their rank, each rank in its order. */
function ranks<Name extends Sized>(names: readonly Name[]): Name[][] {
  const found: Name[][] = [];
  for (const name of names) {
    found[name.rank] ??= [];
    found[name.rank]?.push(name);
  }
  return found;
}

/** The names that stand already, by the squares of the screen that they touch. */
class Room<Name extends Sized> {
  private readonly buckets = new Map<number, Name[]>();
  private readonly alike = new Map<string, Name[]>();

  constructor(private readonly side: number) {}

  /** Give a name its place, if nothing stands there and the same is not written near. */
  take(name: Name): boolean {
    const keys = this.keys(name);
    const same = this.alike.get(name.text) ?? [];
    if (same.some((other) => this.near(name, other))) return false;
    if (keys.some((key) => this.buckets.get(key)?.some((other) => this.overlap(name, other)))) return false;
    for (const key of keys) {
      const bucket = this.buckets.get(key);
      if (bucket) bucket.push(name);
      else this.buckets.set(key, [name]);
    }
    same.push(name);
    this.alike.set(name.text, same);
    return true;
  }

  private keys({ x, y, width, height }: Name): number[] {
    const [middle, centre] = [x * this.side, y * this.side];
    const [wide, high] = [width / 2 + ACROSS, height / 2 + ABOVE];
    const found: number[] = [];
    for (let row = Math.floor((centre - high) / BUCKET); row <= (centre + high) / BUCKET; row++) {
      for (let column = Math.floor((middle - wide) / BUCKET); column <= (middle + wide) / BUCKET; column++) {
        found.push(row * 65_536 + column);
      }
    }
    return found;
  }

  private overlap(one: Name, other: Name): boolean {
    const right = Math.abs(one.x - other.x) * this.side;
    const down = Math.abs(one.y - other.y) * this.side;
    return right < (one.width + other.width) / 2 + ACROSS && down < (one.height + other.height) / 2 + ABOVE;
  }

  private near(one: Name, other: Name): boolean {
    return Math.hypot(one.x - other.x, one.y - other.y) * this.side < AGAIN;
  }
}
