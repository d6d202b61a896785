import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ImplicamError } from '../../model/errors.js';
import type { Ask } from './reduce-worker.js';

export interface ReduceRow {
  /** Bytes of a value: what every runner sends up the tree and gets back. */
  readonly bytes: number;
  readonly runners: number;
  /** Milliseconds of an exchange over the runners' streams, median. */
  readonly ms: number;
  /** The same bytes along the same tree over bare TCP, median. */
  readonly tcpMs: number;
}

export interface ReduceReport {
  readonly rows: readonly ReduceRow[];
}

export interface ReduceOptions {
  /** @default 16 KB … 16 MB, times four each */
  readonly bytes?: readonly number[];
  /** @default 2 and 4 */
  readonly runners?: readonly number[];
}

const SIZES = [16, 64, 256, 1024, 4096, 16_384].map((kb) => kb * 1024);
/** Alternations of the two transports, so that what else the machine does falls on both. */
const TURNS = 3;
const DEADLINE = 120_000;

/** Times the exchange of gradients between processes: the runners' streams beside bare TCP, in turns. */
export async function benchReduce({
  bytes = SIZES,
  runners = [2, 4],
}: ReduceOptions = {}): Promise<ReduceReport> {
  const rows: ReduceRow[] = [];
  for (const count of runners) {
    const workers = Array.from({ length: count }, () => new WorkerProcess());
    try {
      await connect(workers);
      let epoch = 0;
      const measure = async (over: 'streams' | 'tcp', size: number, rounds: number) => {
        epoch++;
        const ask = { type: 'measure', over, bytes: size, rounds, epoch } as const;
        const [root] = await Promise.all(workers.map((w) => w.ask<number[]>(ask)));
        return root;
      };
      for (const size of bytes) {
        const rounds = Math.max(3, Math.min(30, Math.round((6 * 2 ** 20) / size)));
        const times = { streams: [] as number[], tcp: [] as number[] };
        for (const over of ['streams', 'tcp'] as const) await measure(over, size, 3);
        for (let turn = 0; turn < TURNS; turn++) {
          for (const over of ['streams', 'tcp'] as const)
            times[over].push(...(await measure(over, size, rounds)));
        }
        rows.push({ bytes: size, runners: count, ms: median(times.streams), tcpMs: median(times.tcp) });
      }
    } finally {
      for (const worker of workers) worker.stop();
    }
  }
  return { rows };
}

async function connect(workers: readonly WorkerProcess[]): Promise<void> {
  const addresses = await Promise.all(
    workers.map((w, index) => w.ask<{ streams: string; tcp: string }>({ type: 'listen', index })),
  );
  const peersOver = (over: 'streams' | 'tcp') =>
    addresses.map((a, index) => ({ runner: `runner-${index}`, address: a[over] }));
  const [peers, bare] = [peersOver('streams'), peersOver('tcp')];
  await Promise.all(workers.map((w, index) => w.ask({ type: 'start', index, peers, bare })));
}

class WorkerProcess {
  private readonly child: ChildProcess;

  constructor() {
    const path = fileURLToPath(new URL('./reduce-worker.js', import.meta.url));
    this.child = fork(path, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  /** @throws ImplicamError `bench-failed` */
  async ask<T>(ask: Ask): Promise<T> {
    const answer = once(this.child, 'message', { signal: AbortSignal.timeout(DEADLINE) });
    this.child.send(ask);
    const [{ value, error }] = (await answer) as [{ value?: T; error?: string }];
    if (error !== undefined)
      throw new ImplicamError('bench-failed', `a process of the benchmark failed: ${error}`);
    return value as T;
  }

  stop(): void {
    this.child.kill();
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
