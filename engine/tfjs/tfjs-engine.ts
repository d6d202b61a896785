import { ImplicamError } from '../../model/errors.js';
import type { Engine } from '../engine.js';
import { loadBackend } from './tensorflow/backend.js';
import { TfjsTrainer } from './trainer.js';

/**
 * The reference engine: docs/reference/MODEL.md in TensorFlow.js operations, its gradients by automatic differentiation. It takes
 * TensorFlow's kernels where @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node is installed, else pure JavaScript.
 * Nothing of TensorFlow.js is loaded before this is called; where none is installed it throws.
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
      if (options.shards) throw unableToShare();
      return new TfjsTrainer(tf, plan, data, state);
    },
  };
}

function unableToShare(): ImplicamError {
  return new ImplicamError(
    'engine-unusable',
    'the tfjs engine cannot host some shards of a training: build the native engine (npm run build:native) or train in one process',
    { status: 501 },
  );
}
