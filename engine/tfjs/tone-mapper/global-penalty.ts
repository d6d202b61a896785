import type { Plan } from '../../../model/plan.js';
import type { Leaves } from '../leaves.js';
import type { Tensor, Tf } from '../tensorflow/tensorflow.js';
import { exposuresOf } from './camera.js';
import { knotTensor, respond } from './tone-mapper.js';

/** The terms that depend on no sample, added once a step: toneSmooth, tonePin, exposureAnchor, rigidity. */
export function globalPenalty(tf: Tf, plan: Plan, leaves: Leaves): Tensor | undefined {
  const { config, capture } = plan;
  const { loss, tone } = config;
  const terms: Tensor[] = [];
  if (tone.form === 'knots' && loss.toneSmooth > 0) {
    const { knots } = tone;
    const values = knotTensor(tf, knots, leaves.get('tone'));
    const part = (from: number) => tf.slice(values, [0, from], [3, knots - 2]);
    const bend = tf.add(tf.sub(part(2), tf.mul(part(1), 2)), part(0));
    terms.push(tf.mul(tf.sum(tf.square(bend)), loss.toneSmooth * (knots / 9) ** 3));
  }
  if (tone.form === 'mlp' && loss.tonePin > 0) {
    const middle = respond(tf, config, leaves.get('tone'), tf.zeros([3, 1])).value;
    terms.push(tf.mul(tf.mean(tf.abs(tf.sub(middle, 0.5))), loss.tonePin));
  }
  if (loss.exposureAnchor > 0) {
    terms.push(tf.mul(tf.square(tf.mean(exposuresOf(tf, plan, leaves))), loss.exposureAnchor));
  }
  const registration = leaves.find('registration');
  if (registration && loss.rigidity > 0) {
    const long = Math.max(capture.width, capture.height);
    terms.push(tf.mul(tf.sum(tf.square(tf.mul(registration, long))), loss.rigidity));
  }
  return terms.length > 0 ? tf.addN(terms.map((t) => t.asScalar())) : undefined;
}
