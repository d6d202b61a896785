import { ImplicamError } from '../model/errors.js';
import type { Engine, EngineName } from './engine.js';
import { createCudaEngine, cudaStatus } from './native/cuda-engine.js';
import { createNativeEngine, nativeIsas } from './native/native-engine.js';
import { hasTfjs, INSTALL_TFJS } from './tfjs/packages.js';

export interface EngineChoice {
  /** @default the best that this machine can run: cuda, else native, else tfjs */
  readonly engine?: EngineName;
  /** Threads of the native engine. @default all processors */
  readonly threads?: number;
  /** Device of the cuda engine, by index or UUID. @default IMPLICAM_DEVICE, else the first */
  readonly device?: string;
}

/** The engine that is taken where none is asked for, and why. Throws where there is none at all. */
export function defaultEngine(): { readonly engine: EngineName; readonly why: string } {
  const cuda = cudaStatus();
  if (cuda.usable) return { engine: 'cuda', why: 'there is a CUDA device' };
  const without = `no CUDA: ${cuda.reason}`;
  if (nativeIsas().length > 0) return { engine: 'native', why: without };
  if (hasTfjs()) return { engine: 'tfjs', why: `${without}; the native engine is not built` };
  throw new ImplicamError(
    'engine-missing',
    `no engine: install a C++20 compiler (g++ 11 or newer, then npm run build:native), or ${INSTALL_TFJS} (slow)`,
    { status: 501 },
  );
}

/**
 * The engine asked for, or the best there is. One that is asked for and cannot run is an error, never a silent
 * fall-back. TensorFlow.js is loaded only when it is used.
 */
export async function chooseEngine(choice: EngineChoice = {}): Promise<Engine> {
  // Who names a device wants it.
  const wanted = choice.engine ?? (choice.device === undefined ? defaultEngine().engine : 'cuda');
  if (wanted === 'cuda') return createCudaEngine({ ...(choice.device ? { device: choice.device } : {}) });
  if (wanted === 'native') return createNativeEngine({ threads: choice.threads });
  const { createTfjsEngine } = await import('./tfjs/tfjs-engine.js');
  return createTfjsEngine();
}
