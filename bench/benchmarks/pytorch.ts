import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { atlasWidths, freeBlurWidths, mapWidths } from '../../model/layout.js';
import { type Workload, workOf } from './workloads.js';

/** What eager PyTorch takes for the same step on the same machine, or why that is not known. */
export type PyTorchReport =
  | { readonly version: string; readonly device: string; readonly secondsPerStep: number }
  | { readonly skipped: string };

export interface PyTorchOptions {
  readonly device: 'cpu' | 'cuda';
  /** Of the processor. */
  readonly threads: number;
  /** The one device that it may see, by index or UUID. @default all */
  readonly visible?: string | undefined;
  /** @default python3 */
  readonly python?: string;
}

const DEADLINE = 300_000;

/** Runs bench/benchmarks/pytorch_step.py, which stands beside this file's source. Never fails: what went wrong is told. */
export async function benchPyTorch(workload: Workload, options: PyTorchOptions): Promise<PyTorchReport> {
  const script = ['./pytorch_step.py', '../../../bench/benchmarks/pytorch_step.py']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find(existsSync);
  if (!script) return { skipped: 'bench/benchmarks/pytorch_step.py is not installed' };
  const child = spawn(options.python ?? 'python3', [script], {
    timeout: DEADLINE,
    env: { ...process.env, ...(options.visible ? { CUDA_VISIBLE_DEVICES: options.visible } : {}) },
  });
  let [said, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(describe(workload, options)));
  const [code, reason] = await new Promise<[number | null, string]>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve([null, error.code === 'ENOENT' ? 'there is no python3' : error.message]),
    );
    child.once('close', (status, signal) => resolve([status, signal ? `ended by ${signal}` : '']));
  });
  if (code === 0) return JSON.parse(said) as PyTorchReport;
  return { skipped: reason || (complaint.trim().split('\n').at(-1) ?? `it ended with ${code}`) };
}

/** The workload as the script reads it. */
function describe(workload: Workload, { device, threads }: PyTorchOptions) {
  const { plan } = workOf(workload);
  const { config, capture, layout } = plan;
  const { blur, tone } = config;
  const gpu = device === 'cuda';
  return {
    workload,
    device,
    threads,
    warmUp: gpu ? 10 : 1,
    rounds: gpu ? 9 : 3,
    steps: gpu ? 20 : 2,
    width: capture.width,
    height: capture.height,
    frames: capture.frames.length,
    focus: capture.focus,
    kappa: capture.kappa,
    atlas: atlasWidths(config),
    map: mapWidths(config),
    blur: freeBlurWidths(config),
    atlasLevels: layout.atlasLevels,
    mapLevels: layout.mapLevels,
    taps: blur.form === 'free' ? blur.taps : 0,
    maxShift: blur.form === 'free' ? blur.maxShift : 0,
    patch: blur.form === 'lens' ? blur.patch : 0,
    reach: blur.form === 'lens' ? blur.reach : 0,
    knots: tone.form === 'knots' ? tone.knots : 0,
    toneLow: tone.form === 'knots' ? tone.low : 0,
    toneHidden: tone.form === 'mlp' ? tone.hidden : 0,
    pixels: config.train.pixels,
    patches: config.train.patches,
  };
}
