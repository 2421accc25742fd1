// Layout of labels without overlap at every zoom. A label stays visible while zooming in, since labels of constant size
// only move apart; finer ones are added where there is room. Computed once per zoom step, never per frame.

/** A label with what the layout needs; lengths in CSS pixels, positions in units of the atlas's side. */
export interface LayoutItem {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Range of sides of the whole atlas on the screen at which the label is shown. */
  readonly from: number;
  readonly until: number;
  /** Labels of higher rank yield to those of lower rank. */
  readonly rank: number;
}

const STEP = Math.SQRT2;
const MIN_SIDE = 128; // smaller atlases have no labels
const BUCKET_SIZE = 96;
const [MARGIN_X, MARGIN_Y] = [26, 18]; // margin between labels
const SAME_TEXT_DISTANCE = 300; // minimum distance between equal labels

/** Visible labels at every zoom. */
export class LabelLayout<Label extends LayoutItem> {
  private readonly steps: (readonly Label[])[] = [];

  /** Labels in order of priority. */
  constructor(private readonly labels: readonly Label[]) {}

  /** Labels at this side of the atlas; none overlap. */
  labelsAt(side: number): readonly Label[] {
    const step = Math.floor(Math.log(side / MIN_SIDE) / Math.log(STEP) + 1e-9);
    if (!(step >= 0)) return [];
    for (let next = this.steps.length; next <= step; next++) this.steps.push(this.computeStep(next));
    return this.steps[step] ?? [];
  }

  private computeStep(step: number): Label[] {
    const side = MIN_SIDE * STEP ** step;
    const before = new Set(this.steps[step - 1]);
    const wanted = this.labels.filter(({ from, until }) => from <= side && side < until);
    const space = new OccupiedSpace<Label>(side);
    const order = groupByRank(wanted).flatMap((rank) => [
      ...rank.filter((label) => before.has(label)),
      ...rank.filter((label) => !before.has(label)),
    ]);
    return order.filter((label) => space.place(label));
  }
}

/** Labels by rank, each rank in its order. */
function groupByRank<Label extends LayoutItem>(labels: readonly Label[]): Label[][] {
  const found: Label[][] = [];
  for (const label of labels) {
    found[label.rank] ??= [];
    found[label.rank]?.push(label);
  }
  return found;
}

/** Placed labels, indexed by the screen buckets that they touch. */
class OccupiedSpace<Label extends LayoutItem> {
  private readonly buckets = new Map<number, Label[]>();
  private readonly labelsByText = new Map<string, Label[]>();

  constructor(private readonly side: number) {}

  /** Place a label, if the space is free and no equal label is near. */
  place(label: Label): boolean {
    const keys = this.bucketKeys(label);
    const same = this.labelsByText.get(label.text) ?? [];
    if (same.some((other) => this.isNear(label, other))) return false;
    if (keys.some((key) => this.buckets.get(key)?.some((other) => this.overlaps(label, other)))) return false;
    for (const key of keys) {
      const bucket = this.buckets.get(key);
      if (bucket) bucket.push(label);
      else this.buckets.set(key, [label]);
    }
    same.push(label);
    this.labelsByText.set(label.text, same);
    return true;
  }

  private bucketKeys({ x, y, width, height }: Label): number[] {
    const [middle, center] = [x * this.side, y * this.side];
    const [wide, high] = [width / 2 + MARGIN_X, height / 2 + MARGIN_Y];
    const found: number[] = [];
    for (let row = Math.floor((center - high) / BUCKET_SIZE); row <= (center + high) / BUCKET_SIZE; row++) {
      for (
        let column = Math.floor((middle - wide) / BUCKET_SIZE);
        column <= (middle + wide) / BUCKET_SIZE;
        column++
      ) {
        found.push(row * 65_536 + column);
      }
    }
    return found;
  }

  private overlaps(one: Label, other: Label): boolean {
    const right = Math.abs(one.x - other.x) * this.side;
    const down = Math.abs(one.y - other.y) * this.side;
    return (
      right < (one.width + other.width) / 2 + MARGIN_X && down < (one.height + other.height) / 2 + MARGIN_Y
    );
  }

  private isNear(one: Label, other: Label): boolean {
    return Math.hypot(one.x - other.x, one.y - other.y) * this.side < SAME_TEXT_DISTANCE;
  }
}
