import { kernelRadius, PIXEL_SHARE, PIXEL_SPREAD } from '../../../model/camera/lens-kernel.js';
import { constant } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';

/** Offsets at the same distance: within a ring the disk's weight is the source's own business. */
interface Ring {
  readonly distance: number;
  readonly dx: readonly number[];
  readonly dy: readonly number[];
}

/** Geometry of a spread: sources on `side`² pixels, targets on the inner `inner`², `reach` away from the border. */
export interface SpreadShape {
  readonly side: number;
  readonly inner: number;
  readonly reach: number;
}

/** Largest circle of confusion that a patch of that reach can show, in pixels. */
function largestCircle(reach: number): number {
  return reach - 0.6;
}

/** Every ring that a blur within `reach` touches. */
function ringsOf(reach: number): Ring[] {
  const limit = kernelRadius(largestCircle(reach)) + 0.5;
  const rings = new Map<number, { distance: number; dx: number[]; dy: number[] }>();
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const square = dx * dx + dy * dy;
      if (Math.sqrt(square) >= limit) continue;
      const ring = rings.get(square) ?? { distance: Math.sqrt(square), dx: [], dy: [] };
      ring.dx.push(dx);
      ring.dy.push(dy);
      rings.set(square, ring);
    }
  }
  return [...rings.values()].sort((a, b) => a.distance - b.distance);
}

/**
 * The lens in picture space: every source pixel y spreads its value over a disk of its own radius ρ(y),
 * S[V](x) = Σ_y k(|x − y|, ρ(y)) V(y), as model/camera/lens-kernel.ts has it.
 */
export class Spread {
  private readonly tf: Tf;
  private readonly shape: SpreadShape;
  private readonly rings: readonly Ring[];
  /** k of every ring, view and source: [T, planes, side²]. */
  private readonly kernel: Tensor;
  private readonly planes: number;
  private known: Runs | undefined;

  /** `circle`: signed circles of confusion of `planes` source planes (views × patches), flat [planes · side²]. */
  constructor(tf: Tf, shape: SpreadShape, circle: Tensor) {
    this.tf = tf;
    this.shape = shape;
    this.rings = ringsOf(shape.reach);
    this.planes = circle.size / shape.side ** 2;
    const square = tf.minimum(tf.square(circle), largestCircle(shape.reach) ** 2);
    const beyond = tf.div(tf.square(square), tf.add(square, PIXEL_SHARE));
    const rho = tf.sqrt(tf.add(beyond, PIXEL_SPREAD));
    const area = tf.mul(tf.add(tf.square(rho), 1 / 12), Math.PI);
    const distances = new Float32Array(this.rings.length * circle.size);
    for (const [t, ring] of this.rings.entries()) {
      distances.fill(ring.distance, t * circle.size, (t + 1) * circle.size);
    }
    const reached = tf.sub(tf.add(rho, 0.5), constant(tf, distances, [this.rings.length, circle.size]));
    this.kernel = tf.div(tf.clipByValue(reached, 0, 1), area);
  }

  /** S of ones: [planes · inner²]. */
  ones(): Tensor {
    return this.sum(this.kernel);
  }

  /** S of a value on every source, flat; fewer values than sources repeat (the same patches for every view). */
  of(values: Tensor): Tensor {
    return this.sum(this.tf.mul(this.kernel, this.perSource(values)));
  }

  private perSource(values: Tensor): Tensor {
    const sources = this.planes * this.shape.side ** 2;
    if (values.size === sources) return values;
    return this.tf.concat(Array<Tensor>(sources / values.size).fill(values));
  }

  /**
   * out(x) = Σ_t Σ_{|d| = t} in_t(x + d): linear, and its own transpose up to the border, since a ring holds −d with
   * every d. Shifted slices and their gradients would say the same in some thousand operations.
   */
  private sum(rings: Tensor): Tensor {
    const { tf, shape, planes } = this;
    const map = tf.customGrad((input) => {
      const value = this.collect((input as Tensor).dataSync() as Float32Array);
      const gradFunc = (dy: Tensor): Tensor =>
        constant(tf, this.distribute(dy.dataSync() as Float32Array), rings.shape);
      return { value: constant(tf, value, [planes * shape.inner ** 2]), gradFunc };
    });
    return map(rings);
  }

  private collect(from: Float32Array): Float32Array {
    const { inner } = this.shape;
    const { sources, targets } = this.runs();
    const out = new Float64Array(this.planes * inner * inner);
    for (let r = 0; r < sources.length; r++) {
      const [source, target] = [sources[r], targets[r]];
      for (let i = 0; i < inner; i++) out[target + i] += from[source + i];
    }
    return new Float32Array(out);
  }

  private distribute(from: Float32Array): Float32Array {
    const { inner, side } = this.shape;
    const { sources, targets } = this.runs();
    const out = new Float32Array(this.rings.length * this.planes * side * side);
    for (let r = 0; r < sources.length; r++) {
      const [source, target] = [sources[r], targets[r]];
      for (let i = 0; i < inner; i++) out[source + i] += from[target + i];
    }
    return out;
  }

  /** Runs of `inner` targets in a row, each with the equally long run of sources of one ring that reaches it. */
  private runs(): Runs {
    if (this.known) return this.known;
    const { side, inner, reach } = this.shape;
    const offsets = this.rings.reduce((sum, ring) => sum + ring.dx.length, 0);
    const sources = new Int32Array(offsets * this.planes * inner);
    const targets = new Int32Array(sources.length);
    let at = 0;
    for (const [t, ring] of this.rings.entries()) {
      for (let b = 0; b < this.planes; b++) {
        const plane = (t * this.planes + b) * side * side;
        for (const [o, dx] of ring.dx.entries()) {
          const first = plane + (reach + ring.dy[o]) * side + reach + dx;
          for (let j = 0; j < inner; j++, at++) {
            sources[at] = first + j * side;
            targets[at] = (b * inner + j) * inner;
          }
        }
      }
    }
    this.known = { sources, targets };
    return this.known;
  }
}

/** First index of every run. */
interface Runs {
  readonly sources: Int32Array;
  readonly targets: Int32Array;
}
