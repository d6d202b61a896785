import type { SchedulerOptions } from './options.js';
import { createScheduler, step } from './scheduler.js';
import { epoch } from './state.js';
import type { Command, Event, RunnerInfo, StoredSnapshot, TrainingSpec } from './types.js';

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

export const spec = (id: string, over: Partial<TrainingSpec> = {}): TrainingSpec => ({
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

/** A scheduler whose runners do as the test demands. */
export class SchedulerFixture {
  readonly state;
  last: Command[] = [];

  constructor(options: Partial<SchedulerOptions> = { minWindowSteps: 10, maxWindowSteps: 10 }) {
    this.state = createScheduler(options);
  }

  dispatch(event: Event): Command[] {
    this.last = step(this.state, event);
    return this.last;
  }

  of<T extends Command['type']>(type: T): Of<T>[] {
    return this.last.filter((command): command is Of<T> => command.type === type);
  }

  join(...runners: RunnerInfo[]): void {
    for (const runner of runners) this.dispatch({ type: 'runnerJoined', runner, snapshots: [] });
  }

  at(training: string): { training: string; epoch: number } {
    return { training, epoch: epoch(this.state.trainings[training]) };
  }

  members(training: string): string[] {
    return this.state.trainings[training].placement.map(({ runner }) => runner);
  }

  host(training: string): void {
    const at = this.at(training);
    for (const runner of this.members(training)) this.dispatch({ type: 'hosted', runner, ...at });
  }

  /** All members train up to a step and take its snapshot. `computeMs`: how long a step takes each runner. */
  train(training: string, to: number, computeMs: Record<string, number> = {}): void {
    const at = this.at(training);
    for (const runner of this.members(training)) {
      this.dispatch({ type: 'progressed', runner, ...at, step: to, loss: 1, psnr: 1, stepsPerSecond: 5 });
    }
    for (const runner of this.members(training)) {
      if (epoch(this.state.trainings[training]) !== at.epoch) break;
      this.dispatch({
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
    this.dispatch({ type: 'timeout', id });
  }
}

export function running(...runners: RunnerInfo[]): SchedulerFixture {
  const scheduler = new SchedulerFixture();
  scheduler.join(...runners);
  scheduler.dispatch({ type: 'trainingSubmitted', spec: spec('s') });
  scheduler.host('s');
  return scheduler;
}
