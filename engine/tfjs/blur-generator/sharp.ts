import { type Forward, type ForwardInput, lnRadiance, pixelCentres } from '../forward.js';
import { sceneMapping } from '../scene/registration.js';

/** No blur: r = b(D_v(p)); summing logarithms, which there is only one of, ln r is the network's own output. */
export function forwardSharp(input: ForwardInput): Forward {
  const { tf, plan, scene, leaves } = input;
  const p = pixelCentres(input);
  const at = sceneMapping(tf, plan, leaves)(tf.tensor1d(p.x), tf.tensor1d(p.y));
  const ln = scene.bounded(scene.outputs(leaves, at));
  return { lnRadiance: plan.config.light === 'log' ? ln : lnRadiance(tf, tf.exp(ln)) };
}
