import { createRequire } from 'node:module';

/** TensorFlow.js is left to those who want it: 275 MB, for an engine that is slow. */
export const INSTALL_TFJS = 'npm install @tensorflow/tfjs';

/**
 * Optional peers, best first: a user who wants TensorFlow's own kernels installs one of them. On a GPU of the Ampere
 * generation or later TensorFlow multiplies matrices in TF32 unless NVIDIA_TF32_OVERRIDE=0 is set.
 */
export const PEERS = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Whether any package of TensorFlow.js is installed; loads none. */
export function hasTfjs(): boolean {
  const { resolve } = createRequire(import.meta.url);
  return [...PEERS, '@tensorflow/tfjs'].some((name) => {
    try {
      return resolve(name) !== '';
    } catch {
      return false;
    }
  });
}
