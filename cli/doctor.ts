import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Command } from 'commander';
import { defaultEngine } from '../engine/choose.js';
import type { EngineName } from '../engine/engine.js';
import { type CudaStatus, cudaStatus } from '../engine/native/cuda-engine.js';
import { carrierVersion } from '../engine/native/device-link.js';
import { createNativeEngine, nativeIsas } from '../engine/native/native-engine.js';
import { hasTfjs, INSTALL_TFJS } from '../engine/tfjs/packages.js';
import { jsonOption } from './shared/options.js';
import { versions } from './shared/version.js';

export function define(command: Command): void {
  command.addOption(jsonOption()).action(async (options) => {
    await runDoctor(options);
  });
}

interface Diagnosis {
  readonly versions: Record<string, string>;
  readonly machine: { readonly processor: string; readonly threads: number; readonly gigabytes: number };
  readonly engines: {
    readonly native:
      | { readonly isas: readonly string[]; readonly gflops: number }
      | { readonly missing: string };
    readonly cuda: CudaStatus;
    readonly tfjs: { readonly version: string } | { readonly missing: string };
  };
  readonly defaultEngine:
    | { readonly engine: EngineName; readonly why: string }
    | { readonly missing: string };
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
    engines: { native: await native(), cuda: cuda(), tfjs: await tfjs() },
    defaultEngine: chosen(),
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

/** What there is of CUDA; a core that does not load is told of as the native engine. */
function cuda(): CudaStatus {
  try {
    return cudaStatus();
  } catch (error) {
    return {
      usable: false,
      reason: `the native core does not load (${(error as Error).message})`,
      devices: [],
    };
  }
}

function chosen(): Diagnosis['defaultEngine'] {
  try {
    return defaultEngine();
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

async function tfjs(): Promise<Diagnosis['engines']['tfjs']> {
  if (!hasTfjs()) return { missing: `not installed: ${INSTALL_TFJS}` };
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

function describeCuda({
  usable,
  reason,
  driver,
  runtime,
  library,
  architectures,
  nccl,
  devices,
}: CudaStatus): string[] {
  const parts = [
    ...(driver ? [`driver for CUDA ${driver}`] : []),
    ...(runtime ? [`library of CUDA ${runtime} for ${architectures}`] : []),
    ...(library ? [library] : []),
  ];
  return [
    `cuda engine: ${[usable ? 'usable' : `not usable: ${reason}`, ...parts].join('; ')}`,
    ...devices.map(
      (d, i) =>
        `  device ${i}: ${d.name}, ${d.uuid}, compute capability ${d.major}.${d.minor}, ${d.processors} multiprocessors, ` +
        `${gibibytes(d.free)} of ${gibibytes(d.memory)} GiB free`,
    ),
    ...(nccl ? [`  between devices: ${describeNccl(nccl)}`] : []),
  ];
}

function describeNccl(nccl: NonNullable<CudaStatus['nccl']>): string {
  if ('missing' in nccl) return `no NCCL: ${nccl.missing}; gradients go through the processor`;
  return `NCCL ${carrierVersion(nccl.version)}, ${nccl.path}`;
}

const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1);

function describe({ versions: known, machine, engines, defaultEngine: taken }: Diagnosis): string {
  const list = Object.entries(known).map(([name, version]) => `${name} ${version}`);
  const { native: core, tfjs: reference } = engines;
  return [
    list.join(', '),
    `${machine.processor}, ${machine.threads} threads, ${machine.gigabytes} GB`,
    'missing' in core
      ? `native engine: ${core.missing}`
      : `native engine: ${core.isas.join(', ')}; ${core.gflops} GFLOP/s of multiply-adds on all threads`,
    ...describeCuda(engines.cuda),
    'missing' in reference
      ? `tfjs engine: ${reference.missing}`
      : `tfjs engine: TensorFlow.js ${reference.version} (reference; slow)`,
    'missing' in taken
      ? `default engine: ${taken.missing}`
      : `default engine: ${taken.engine} (${taken.why})`,
    '',
  ].join('\n');
}
