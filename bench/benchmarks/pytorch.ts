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
  const { config, capture, layout } = workOf(workload).plan;
  return {
    device,
    threads,
    config,
    capture,
    widths: { atlas: atlasWidths(config), map: mapWidths(config), blur: freeBlurWidths(config) },
    levels: { atlas: layout.atlasLevels, map: layout.mapLevels },
  };
}
