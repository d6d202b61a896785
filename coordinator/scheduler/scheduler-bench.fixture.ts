import type { SchedulerOptions } from './options.js';
import { createScheduler, step } from './scheduler.js';
import { epoch } from './state.js';
import type { Command, Event, RunnerInfo, SessionSpec, StoredSnapshot } from './types.js';

export const info = (id: string, over: Partial<RunnerInfo> = {}): RunnerInfo => ({
  id,
  address: `${id}:1`,
  engine: 'native',
  device: 'cpu',
  memoryBytes: 10_000,
  stepRate: 100,
  draining: false,
  link: null,
  ...over,
});

export const snapshot = (at: number): StoredSnapshot => ({
  step: at,
  pieces: Array.from({ length: 4 }, (_, shard) => ({ shard, key: `${at}/${shard}`, bytes: 1, sha256: '' })),
});

export const spec = (id: string, over: Partial<SessionSpec> = {}): SessionSpec => ({
  id,
  shards: Array.from({ length: 4 }, () => ({ memoryBytes: 100, cost: 10 })),
  sharedMemoryBytes: 10,
  hopMs: 1,
  steps: 100,
  lease: 1,
  stored: [snapshot(0)],
  engine: null,
  ...over,
});

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** A scheduler with obedient runners on demand. */
export class Bench {
  readonly state;
  last: Command[] = [];

  constructor(options: Partial<SchedulerOptions> = { minWindowSteps: 10, maxWindowSteps: 10 }) {
    this.state = createScheduler(options);
  }

  give(event: Event): Command[] {
    this.last = step(this.state, event);
    return this.last;
  }

  of<T extends Command['type']>(type: T): Of<T>[] {
    return this.last.filter((command): command is Of<T> => command.type === type);
  }

  join(...runners: RunnerInfo[]): void {
    for (const runner of runners) this.give({ type: 'runnerJoined', runner, snapshots: [] });
  }

  at(session: string): { session: string; epoch: number } {
    return { session, epoch: epoch(this.state.sessions[session]!) };
  }

  members(session: string): string[] {
    return this.state.sessions[session]!.placement.map(({ runner }) => runner);
  }

  host(session: string): void {
    const at = this.at(session);
    for (const runner of this.members(session)) this.give({ type: 'hosted', runner, ...at });
  }

  /** Everybody trains up to a step and takes the snapshot there; runners by what their part of a step takes, where that is said. */
  train(session: string, to: number, computeMs: Record<string, number> = {}): void {
    const at = this.at(session);
    for (const runner of this.members(session)) {
      this.give({ type: 'progressed', runner, ...at, step: to, loss: 1, psnr: 1, stepsPerSecond: 5 });
    }
    for (const runner of this.members(session)) {
      if (epoch(this.state.sessions[session]!) !== at.epoch) break;
      this.give({
        type: 'snapshotTaken',
        runner,
        ...at,
        step: to,
        milliseconds: 0,
        computeMs: computeMs[runner] ?? 0,
      });
    }
  }

  fire(kind: string): void {
    const id = Object.entries(this.state.timers).find(([, timer]) => timer.kind === kind)![0];
    this.give({ type: 'timeout', id });
  }
}

export function running(...runners: RunnerInfo[]): Bench {
  const bench = new Bench();
  bench.join(...runners);
  bench.give({ type: 'sessionSubmitted', spec: spec('s') });
  bench.host('s');
  return bench;
}
