import { vi } from 'vitest';
import type { Engine } from '../engine.js';

/**
 * The reference engine in double precision. TensorFlow.js' cpu backend holds its numbers in whatever `Float32Array` is:
 * with that name given to Float64Array before the package is loaded, everything is computed in doubles, and finite
 * differences tell a wrong gradient from rounding. Call it before anything else of the engine runs in the process.
 */
export async function createDoubleEngine(): Promise<Engine> {
  vi.stubGlobal('Float32Array', Float64Array);
  const { loadBackend } = await import('./tensorflow/backend.js');
  const { tf } = await loadBackend();
  // Asks for the built-in type, not for the name.
  tf.env().platform.isTypedArray = (a): a is Float32Array => ArrayBuffer.isView(a);
  const { createTfjsEngine } = await import('./tfjs-engine.js');
  return createTfjsEngine();
}
