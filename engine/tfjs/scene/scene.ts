import { atlasWidths, mapWidths } from '../../../model/layout.js';
import type { Plan } from '../../../model/plan.js';
import type { Rect } from '../../../model/shards.js';
import type { SceneData } from '../../engine.js';
import type { Leaves } from '../leaves.js';
import { constant } from '../tensorflow/ops.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';
import { encode } from './grid.js';
import { network, relu, sine } from './network.js';

/** Bounds of ln radiance: exp of anything between is a finite single-precision number far from denormal. */
const LN_MIN = -14;
const LN_MAX = 8;

/** Positions in pixels, flat. With `pixels` they are pixel centres, and these their numbers y · W + x. */
export interface Points {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly pixels?: Int32Array;
}

/** The scene model of one shard: radiance outputs and defocus at positions. */
export class Scene {
  private readonly tf: Tf;
  private readonly plan: Plan;
  private readonly data: SceneData;
  private readonly rect: Rect;

  /** `rect`: the pixels that the shard's grids cover. */
  constructor(tf: Tf, plan: Plan, data: SceneData, rect: Rect) {
    this.tf = tf;
    this.plan = plan;
    this.data = data;
    this.rect = rect;
  }

  /** The classical start, where there is one. */
  get start(): SceneData['start'] {
    return this.data.start;
  }

  /** ln radiance [3, M], start pictures included, not yet clamped. */
  outputs(leaves: Leaves, points: Points): Tensor {
    const { tf } = this;
    const { config, layout, capture } = this.plan;
    const at = this.clamp(points);
    const parameters = leaves.get('atlas.mlp');
    let out: Tensor;
    if (config.atlas.form === 'siren') {
      const long = Math.max(capture.width, capture.height);
      const x = tf.div(tf.sub(tf.mul(at.x, 2), capture.width), long);
      const y = tf.div(tf.sub(tf.mul(at.y, 2), capture.height), long);
      out = network(tf, atlasWidths(config), parameters, tf.stack([x, y]), sine(tf, config.atlas.omega));
    } else {
      const features = encode(tf, layout.atlasLevels, leaves.get('atlas.grid'), at.x, at.y, this.rect);
      out = network(tf, atlasWidths(config), parameters, features, relu(tf));
    }
    const start = config.residual ? this.data.start?.radiance : undefined;
    return start ? tf.add(out, this.sample(start, at)) : out;
  }

  /** Signed defocus map [1, M], start included. */
  defocus(leaves: Leaves, points: Points): Tensor {
    const { tf } = this;
    const at = this.clamp(points);
    const features = encode(tf, this.plan.layout.mapLevels, leaves.get('map.grid'), at.x, at.y, this.rect);
    const out = network(tf, mapWidths(this.plan.config), leaves.get('map.mlp'), features, relu(tf));
    const start = this.data.start?.defocus;
    return start && start.length > 0 ? tf.add(out, this.sample(start, at)) : out;
  }

  /** ln radiance within its bounds; a clamped value has no gradient. */
  bounded(lnRadiance: Tensor): Tensor {
    return this.tf.clipByValue(lnRadiance, LN_MIN, LN_MAX);
  }

  /** Centres of pixels given by whole coordinates, clamped into the picture and the shard's rectangle. */
  pixelCentres(x: Int32Array, y: Int32Array): Points {
    const { width, height } = this.plan.capture;
    const { rect } = this;
    const [left, right] = [Math.max(0, rect.x), Math.min(width, rect.x + rect.width) - 1];
    const [top, bottom] = [Math.max(0, rect.y), Math.min(height, rect.y + rect.height) - 1];
    const cx = new Float32Array(x.length);
    const cy = new Float32Array(x.length);
    const pixels = new Int32Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const px = Math.max(left, Math.min(right, x[i]));
      const py = Math.max(top, Math.min(bottom, y[i]));
      cx[i] = px + 0.5;
      cy[i] = py + 0.5;
      pixels[i] = py * width + px;
    }
    return { x: this.tf.tensor1d(cx), y: this.tf.tensor1d(cy), pixels };
  }

  private clamp(points: Points): Points {
    if (points.pixels) return points;
    const { tf, rect } = this;
    const { width, height } = this.plan.capture;
    const inset = (x: Tensor, from: number, size: number, limit: number) =>
      tf.clipByValue(x, Math.max(0, from) + 0.5, Math.min(limit, from + size) - 0.5);
    return {
      x: inset(points.x, rect.x, rect.width, width),
      y: inset(points.y, rect.y, rect.height, height),
    };
  }

  /** Planes [C][H·W] at positions: by pixel, or bilinear between pixel centres (differentiable in the position). */
  private sample(planes: Float32Array, at: Points): Tensor {
    const { tf } = this;
    const { width, height } = this.plan.capture;
    const area = width * height;
    const channels = planes.length / area;
    const count = at.x.size;
    const read = (pixels: Int32Array) => {
      const out = new Float32Array(channels * count);
      for (let c = 0; c < channels; c++) {
        for (let i = 0; i < count; i++) out[c * count + i] = planes[c * area + pixels[i]];
      }
      return constant(tf, out, [channels, count]);
    };
    if (at.pixels) return read(at.pixels);

    const x = tf.sub(at.x, 0.5);
    const y = tf.sub(at.y, 0.5);
    const left = floorWithin(x, width);
    const top = floorWithin(y, height);
    const fx = tf.sub(x, constant(tf, left, [count]));
    const fy = tf.sub(y, constant(tf, top, [count]));
    const corner = (dx: number, dy: number) => {
      const pixels = new Int32Array(count);
      for (let i = 0; i < count; i++) {
        // A picture one pixel wide or high has no second neighbour; its weight is zero.
        const px = Math.min(width - 1, left[i] + dx);
        pixels[i] = Math.min(height - 1, top[i] + dy) * width + px;
      }
      return read(pixels);
    };
    const mix = (a: Tensor, b: Tensor, f: Tensor) => tf.add(a, tf.mul(tf.sub(b, a), f));
    return mix(mix(corner(0, 0), corner(1, 0), fx), mix(corner(0, 1), corner(1, 1), fx), fy);
  }
}

/** ⌊x⌋, at most the last but one of `size` pixels. */
function floorWithin(x: Tensor, size: number): Float32Array {
  const values = x.dataSync();
  const out = new Float32Array(values.length);
  const last = Math.max(0, size - 2);
  for (let i = 0; i < out.length; i++) out[i] = Math.max(0, Math.min(last, Math.floor(values[i])));
  return out;
}
