import { availableParallelism, cpus, totalmem } from 'node:os';
import { createNativeEngine, nativeIsas } from '../runner/engines/native.js';
import { versions } from './version.js';

interface Diagnosis {
  readonly versions: Record<string, string>;
  readonly machine: { readonly processor: string; readonly threads: number; readonly gigabytes: number };
  readonly engines: {
    readonly native:
      | { readonly isas: readonly string[]; readonly gflops: number }
      | { readonly missing: string };
    readonly tfjs: { readonly version: string } | { readonly missing: string };
  };
}

/** `implicam doctor`: what this installation and this machine can do. */
export async function runDoctor({ json }: { readonly json?: boolean }): Promise<void> {
  const diagnosis = await diagnose();
  process.stdout.write(json ? `${JSON.stringify(diagnosis)}\n` : describe(diagnosis));
}

async function diagnose(): Promise<Diagnosis> {
  return {
    versions: {
      ...versions(),
      libvips: await versionOf(async () => (await import('sharp')).default.versions.vips),
    },
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      threads: availableParallelism(),
      gigabytes: Math.round(totalmem() / 2 ** 30),
    },
    engines: { native: await native(), tfjs: await tfjs() },
  };
}

async function native(): Promise<Diagnosis['engines']['native']> {
  try {
    const isas = nativeIsas();
    if (isas.length === 0) {
      return { missing: 'not built: install g++ 11 or newer and run npm run build:native' };
    }
    const gflops = (await createNativeEngine().peak(0.2)) / 1e9;
    return { isas, gflops: Math.round(gflops) };
  } catch (error) {
    return { missing: `built, but it does not load (${(error as Error).message}): run npm run build:native` };
  }
}

async function tfjs(): Promise<Diagnosis['engines']['tfjs']> {
  try {
    const { version } = await import('@tensorflow/tfjs');
    return { version: version['tfjs-core'] };
  } catch (error) {
    return { missing: `it does not load (${(error as Error).message.split('\n', 1)[0]}): run npm ci` };
  }
}

async function versionOf(read: () => Promise<string>): Promise<string> {
  try {
    return await read();
  } catch {
    return 'does not load: run npm ci';
  }
}

function describe({ versions: known, machine, engines }: Diagnosis): string {
  const list = Object.entries(known).map(([name, version]) => `${name} ${version}`);
  const { native: core, tfjs: reference } = engines;
  return [
    list.join(', '),
    `${machine.processor}, ${machine.threads} threads, ${machine.gigabytes} GB`,
    'missing' in core
      ? `native engine: ${core.missing}`
      : `native engine: ${core.isas.join(', ')}; ${core.gflops} GFLOP/s of multiply-adds on all threads`,
    'missing' in reference
      ? `tfjs engine: ${reference.missing}`
      : `tfjs engine: TensorFlow.js ${reference.version} (reference; slow)`,
    `default engine: ${'missing' in core ? 'tfjs' : 'native'}`,
    '',
  ].join('\n');
}
