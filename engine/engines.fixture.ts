import { describe, test } from 'vitest';
import { builtFile, loadAddon } from './native/addon.js';
import { cudaStatus } from './native/cuda-engine.js';
import { nativeIsas } from './native/native-engine.js';

/**
 * Tests that need an engine, or something else that a machine may lack, and are skipped where it is missing. The reason
 * stands in their names, "(skipped: …)": the run shows it, and .ci/count.mjs counts by it.
 *
 * What IMPLICAM_REQUIRE_ENGINES names ("native,emulated") is never skipped: where it is missing every file that asks here
 * fails. The gate demands so, lest the tests of numbers vanish in silence.
 */

type Api = typeof describe | typeof test;

/** `describe` or `test`; where there is a reason against it, one that skips and tells the reason. */
export function unless<T extends Api>(reason: string | undefined, api: T): T {
  if (reason === undefined) return api;
  const { skip } = api as typeof describe;
  const named = (name: string) => `${name} (skipped: ${reason})`;
  type Rest = [body: () => void];
  return Object.assign((name: string, ...rest: Rest) => skip(named(name), ...rest), {
    skip,
    each:
      (cases: readonly unknown[]) =>
      (name: string, ...rest: Rest) =>
        skip.each(cases)(named(name), ...rest),
  }) as unknown as T;
}

function withoutEmulation(): string | undefined {
  const library = builtFile('implicam-cuda-emulated.so');
  if (!library) return 'the emulated device is not built';
  try {
    loadAddon()?.devices(library);
    return undefined;
  } catch (error) {
    return `the emulated device does not load: ${(error as Error).message}`;
  }
}

const { usable, reason } = cudaStatus();
const withoutNative = nativeIsas().length > 0 ? undefined : 'the native engine is not built';

/** Why tests of an engine are skipped. */
export const missing = {
  native: withoutNative,
  emulated: withoutNative ?? withoutEmulation(),
  cuda: usable ? undefined : `no CUDA device: ${reason}`,
};

for (const name of (process.env.IMPLICAM_REQUIRE_ENGINES ?? '').split(',').filter(Boolean)) {
  if (!(name in missing)) throw new Error(`IMPLICAM_REQUIRE_ENGINES: there is no engine ${name}`);
  const why = missing[name as keyof typeof missing];
  if (why !== undefined) throw new Error(`IMPLICAM_REQUIRE_ENGINES demands ${name}: ${why}`);
}

export const describeNative = unless(missing.native, describe);
export const testNative = unless(missing.native, test);
export const describeEmulated = unless(missing.emulated, describe);
export const testEmulated = unless(missing.emulated, test);
export const describeCuda = unless(missing.cuda, describe);
export const testCuda = unless(missing.cuda, test);
