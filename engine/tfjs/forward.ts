import type { Plan } from '../../model/plan.js';
import type { Batch, PatchShape } from './batch.js';
import type { Leaves } from './leaves.js';
import type { Scene } from './scene/scene.js';
import type { Tensor, Tf } from './tensorflow/tensorflow.js';

/** What every form of blur needs to know. Arrays run [V][Q][K]: views, compared pixels, taps. */
export interface ForwardInput {
  readonly tf: Tf;
  readonly plan: Plan;
  readonly scene: Scene;
  readonly leaves: Leaves;
  readonly batch: Batch;
  readonly shape: PatchShape;
}

/** What every form of blur answers, for V views and Q compared pixels. */
export interface Forward {
  /** u = ln of the radiance that reaches the sensor, [3, V · Q]. */
  readonly lnRadiance: Tensor;
  /** |c_v| in pixels, not differentiated, flat [V · Q]; absent without a lens. */
  readonly blur?: Float32Array;
  /** Smoothness of this batch's defocus map: its share of the step's weighted sum; absent where there is none. */
  readonly penalty?: Tensor;
}

/** Keeps the logarithm finite where nothing shines. */
const LN_FLOOR = 1e-8;

/** Under the root of a total variation. */
const TV_FLOOR = 1e-3;

/** u = ln(r + 10⁻⁸). */
export function lnRadiance(tf: Tf, radiance: Tensor): Tensor {
  return tf.log(tf.add(radiance, LN_FLOOR));
}

/** √(Δ² + 10⁻³): a total variation that is smooth at zero. */
export function variation(tf: Tf, change: Tensor): Tensor {
  return tf.sqrt(tf.add(tf.square(change), TV_FLOOR));
}

/** Centres of the compared pixels, the same for every view: [V · Q]. */
export function pixelCentres(input: ForwardInput): { x: Float32Array; y: Float32Array } {
  const { batch, plan } = input;
  const count = batch.x.length;
  const x = new Float32Array(plan.views.length * count);
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    x[i] = batch.x[i % count] + 0.5;
    y[i] = batch.y[i % count] + 0.5;
  }
  return { x, y };
}
