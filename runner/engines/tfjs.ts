import type { Engine } from './engine.js';
import { loadBackend } from './tfjs/backend.js';
import { TfjsSession } from './tfjs/session.js';

/**
 * The reference engine: docs/MODEL.md in TensorFlow.js operations, its gradients by automatic differentiation. It takes
 * TensorFlow's kernels where @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node is installed, else pure JavaScript.
 * Nothing of TensorFlow.js is loaded before this is called.
 *
 * On the pure JavaScript backend a run gives the same bits every time.
 */
export async function createTfjsEngine(): Promise<Engine> {
  const { tf, device } = await loadBackend();
  return {
    name: 'tfjs',
    device,
    open: async (plan, data, state) => new TfjsSession(tf, plan, data, state),
  };
}
