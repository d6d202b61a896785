import { ImplicamError } from '../../model/errors.js';
import type { Engine } from '../engine.js';
import { TfjsSession } from './session.js';
import { loadBackend } from './tensorflow/backend.js';

/**
 * The reference engine: docs/reference/MODEL.md in TensorFlow.js operations, its gradients by automatic differentiation. It takes
 * TensorFlow's kernels where @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node is installed, else pure JavaScript.
 * Nothing of TensorFlow.js is loaded before this is called.
 *
 * On the pure JavaScript backend a run gives the same bits every time.
 */
export async function createTfjsEngine(): Promise<Engine> {
  const { tf, device } = await loadBackend();
  return {
    name: 'tfjs',
    kind: 'tfjs',
    device,
    reducing: false,
    async open(plan, data, state, options = {}) {
      if (options.shards) throw unable('host some shards of a session');
      if (plan.config.train.reduction !== 'single') throw unable('round gradients (train.reduction: half)');
      return new TfjsSession(tf, plan, data, state);
    },
  };
}

function unable(what: string): ImplicamError {
  return new ImplicamError(
    'engine-unusable',
    `the tfjs engine cannot ${what}: build the native engine (npm run build:native) or train in one process`,
    { status: 501 },
  );
}
