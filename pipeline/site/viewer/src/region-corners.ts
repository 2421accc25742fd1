// A rectangle that is set with the keys: from a first corner, stretched cell by cell.

import { between, type Corner } from "./region";
import { Area } from "./region-area";
import type { Box } from "./state";

export class Corners {
  private to: Corner;

  constructor(
    private readonly size: number,
    private readonly from: Corner,
  ) {
    this.to = from;
  }

  /** Move the second corner by so many rows and columns, at most to the edge. */
  step(rows: number, columns: number): void {
    const inside = (value: number): number => Math.min(Math.max(value, 0), this.size - 1);
    this.to = { row: inside(this.to.row + rows), column: inside(this.to.column + columns) };
  }

  /** The cell in the second corner. */
  get end(): Box {
    return between(this.size, this.to, this.to);
  }

  get area(): Area {
    return Area.box(between(this.size, this.from, this.to));
  }
}
