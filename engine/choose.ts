import { ImplicamError } from '../model/errors.js';
import { ENGINES, type Engine, type EngineName } from './engine.js';
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

interface Entry {
  /** Why it cannot run here; undefined where it can. */
  readonly missing: () => string | undefined;
  readonly create: (choice: EngineChoice) => Engine | Promise<Engine>;
}

/** Every engine. TensorFlow.js is loaded only when it is used. */
const REGISTRY: Readonly<Record<EngineName, Entry>> = {
  cuda: {
    missing: () => {
      const status = cudaStatus();
      return status.usable ? undefined : `no CUDA: ${status.reason}`;
    },
    create: ({ device }) => createCudaEngine(device ? { device } : {}),
  },
  native: {
    missing: () => (nativeIsas().length > 0 ? undefined : 'the native engine is not built'),
    create: ({ threads }) => createNativeEngine({ threads }),
  },
  tfjs: {
    missing: () => (hasTfjs() ? undefined : 'TensorFlow.js is not installed'),
    create: async () => (await import('./tfjs/tfjs-engine.js')).createTfjsEngine(),
  },
};

/** The engine that is taken where none is asked for, and why. @throws ImplicamError `engine-missing` where there is none */
export function defaultEngine(): { readonly engine: EngineName; readonly why: string } {
  const missing: string[] = [];
  for (const engine of ENGINES) {
    const reason = REGISTRY[engine].missing();
    if (reason === undefined) return { engine, why: missing.join('; ') || 'there is a CUDA device' };
    missing.push(reason);
  }
  throw new ImplicamError(
    'engine-missing',
    `no engine: install a C++20 compiler (g++ 11 or newer, then npm run build:native), or ${INSTALL_TFJS} (slow)`,
    { status: 501 },
  );
}

/**
 * The engine asked for, or the best there is. One that is asked for and cannot run is an error, never a silent
 * fall-back.
 */
export async function chooseEngine(choice: EngineChoice = {}): Promise<Engine> {
  // Who names a device wants it.
  const wanted = choice.engine ?? (choice.device === undefined ? defaultEngine().engine : 'cuda');
  return REGISTRY[wanted].create(choice);
}
