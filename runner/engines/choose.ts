import type { Engine } from './engine.js';
import { createNativeEngine, nativeIsas } from './native.js';

export interface EngineChoice {
  /** @default native where it is built, else tfjs */
  readonly engine?: 'native' | 'tfjs';
  /** Threads of the native engine. @default all processors */
  readonly threads?: number;
}

/**
 * The engine asked for, or the best there is. One that is asked for and cannot run is an error, never a silent
 * fall-back. TensorFlow.js is loaded only when it is used.
 */
export async function chooseEngine(choice: EngineChoice = {}): Promise<Engine> {
  const wanted = choice.engine ?? (nativeIsas().length > 0 ? 'native' : 'tfjs');
  if (wanted === 'native') return createNativeEngine({ threads: choice.threads });
  const { createTfjsEngine } = await import('./tfjs.js');
  return createTfjsEngine();
}
