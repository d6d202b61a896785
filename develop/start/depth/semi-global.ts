/**
 * Semi-global matching (Hirschmüller, 2008): labels that agree with the data and, along eight directions, with one
 * another. A change by one label costs P1; a jump costs P2, less where the picture has an edge.
 */

export interface Labelling {
  readonly width: number;
  readonly height: number;
  /** How many labels there are. */
  readonly labels: number;
  /** Cost of each label, `cost[p · labels + l]`, at most {@link MAXIMUM_COST}. */
  readonly cost: Uint16Array;
}

/** Data cost and P2 must stay below this, so that eight paths fit 16 bits. */
export const MAXIMUM_COST = 4000;

/** Longer than any path cost can be. */
const FAR = 1 << 20;

/**
 * Sum of the eight path costs of every label, in the layout of `cost`.
 *
 * @param p1 cost of a step of one label, in units of `cost`
 * @param p2 cost of a jump per pixel, ≥ p1 and ≤ {@link MAXIMUM_COST}
 */
export function aggregatePaths(problem: Labelling, p1: number, p2: Uint16Array): Uint16Array {
  const sum = new Uint16Array(problem.cost.length);
  sweep(problem, p1, p2, sum, 1);
  sweep(problem, p1, p2, sum, -1);
  return sum;
}

/** Four of the eight directions: from the rows above and the left (`way` 1), or from below and the right (−1). */
function sweep(problem: Labelling, p1: number, p2: Uint16Array, sum: Uint16Array, way: 1 | -1): void {
  const { width, height, labels, cost } = problem;
  // A column outside the picture at each end, and a label that is never chosen at each end of the labels.
  const pitch = labels + 2;
  const size = (width + 2) * pitch;
  const fresh = (): Int32Array => new Int32Array(size).fill(FAR);
  let previous = [fresh(), fresh(), fresh()];
  let current = [fresh(), fresh(), fresh()];
  const side = new Int32Array(2 * pitch).fill(FAR);
  let lowest = [0, 1, 2].map(() => new Int32Array(width + 2).fill(-1));
  let lowestNow = [0, 1, 2].map(() => new Int32Array(width + 2).fill(-1));
  for (let row = 0; row < height; row++) {
    const y = way === 1 ? row : height - 1 - row;
    let sideLowest = -1;
    let from = 0;
    for (let column = 0; column < width; column++) {
      const x = way === 1 ? column : width - 1 - column;
      const p = y * width + x;
      const at = p * labels;
      const jump = p2[p];
      const to = pitch - from;
      sideLowest = step(cost, sum, at, labels, side, from, sideLowest, side, to, p1, jump);
      from = to;
      for (let k = 0; k < 3; k++) {
        const source = x + k;
        lowestNow[k][x + 1] = step(
          cost,
          sum,
          at,
          labels,
          previous[k],
          source * pitch,
          lowest[k][source],
          current[k],
          (x + 1) * pitch,
          p1,
          jump,
        );
      }
    }
    [previous, current] = [current, previous];
    [lowest, lowestNow] = [lowestNow, lowest];
  }
}

/**
 * Extends one path by one pixel: reads the costs of the pixel before at `before[from…]` (their minimum is `least`,
 * negative where the path starts), writes the new ones at `after[to…]` and returns their minimum.
 */
function step(
  cost: Uint16Array,
  sum: Uint16Array,
  at: number,
  labels: number,
  before: Int32Array,
  from: number,
  least: number,
  after: Int32Array,
  to: number,
  p1: number,
  p2: number,
): number {
  let minimum = FAR;
  if (least < 0) {
    for (let l = 0; l < labels; l++) {
      const c = cost[at + l];
      after[to + l + 1] = c;
      sum[at + l] += c;
      if (c < minimum) minimum = c;
    }
    return minimum;
  }
  let left = FAR;
  let here = before[from + 1];
  const ceiling = least + p2;
  for (let l = 0; l < labels; l++) {
    const right = before[from + l + 2];
    const neighbour = (left < right ? left : right) + p1;
    let best = here < neighbour ? here : neighbour;
    if (ceiling < best) best = ceiling;
    best += cost[at + l] - least;
    after[to + l + 1] = best;
    sum[at + l] += best;
    if (best < minimum) minimum = best;
    left = here;
    here = right;
  }
  return minimum;
}

/**
 * Position of each pixel's lowest cost on the label axis, refined by the parabola through it and its neighbours.
 * Returns the positions in labels (0 … labels − 1) and the lowest costs.
 */
export function lowestLabels(
  aggregated: Uint16Array,
  labels: number,
): { position: Float32Array; lowest: Uint16Array } {
  const count = aggregated.length / labels;
  const position = new Float32Array(count);
  const lowest = new Uint16Array(count);
  for (let p = 0, at = 0; p < count; p++, at += labels) {
    let best = 0;
    for (let l = 1; l < labels; l++) if (aggregated[at + l] < aggregated[at + best]) best = l;
    lowest[p] = aggregated[at + best];
    position[p] = best;
    if (best === 0 || best === labels - 1) continue;
    const a = aggregated[at + best - 1];
    const b = aggregated[at + best];
    const c = aggregated[at + best + 1];
    const bend = a - 2 * b + c;
    if (bend > 0) position[p] = best + (0.5 * (a - c)) / bend;
  }
  return { position, lowest };
}
