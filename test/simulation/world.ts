import { createScheduler, step } from '../../coordinator/scheduler/scheduler.js';
import type { State } from '../../coordinator/scheduler/state.js';
import type {
  Command,
  Event,
  RunnerId,
  RunnerInfo,
  ShardRange,
  TrainingId,
  TrainingSpec,
} from '../../coordinator/scheduler/types.js';
import { Checks, type Step } from './checks.js';
import type { Dice } from './clock.js';
import { type CoordinatorWorld, SimCoordinator } from './coordinator.js';
import { Durable } from './durable.js';
import { Network, type Process } from './network.js';
import { Placements, type PlacementWorld } from './placements.js';
import { type RunnerWorld, SimRunner } from './runner.js';

export interface Machine {
  readonly name: string;
  readonly engine: string;
  readonly stepRate: number;
  readonly memoryBytes: number;
  /** What its runner says of itself. */
  readonly claimedRate: number;
  readonly claimedBytes: number;
}

/** Longest window of the schedules, in steps, where copies of snapshots take no time. */
const MAX_WINDOW_STEPS = 8;
const SNAPSHOT_MS = 2_000;
const SNAPSHOT_SHARE = 0.25;

/** The same where they take so many milliseconds: as many times longer as keeps them to their share of the time. */
const longestWindow = (copyMs: number) =>
  Math.ceil(MAX_WINDOW_STEPS * Math.max(1, copyMs / SNAPSHOT_SHARE / (SNAPSHOT_MS / 2)));

const OPTIONS = {
  snapshotMs: SNAPSHOT_MS,
  snapshotShare: SNAPSHOT_SHARE,
  storeMs: 5_000,
  maxWindowSteps: MAX_WINDOW_STEPS,
  hostDeadlineMs: 8_000,
  stallDeadlineMs: 4_000,
  storeDeadlineMs: 5_000,
  blameMs: 200,
  exclusionMs: 4_000,
  maxExclusionMs: 20_000,
  retryMs: 500,
  maxRetryMs: 4_000,
  rebalanceSavedMs: 500,
  probationMs: 20_000,
  maxProbationMs: 600_000,
};

/** One schedule's world: a few machines, a network, what is durable, and one coordinator at a time (more or less). */
export class World implements RunnerWorld, CoordinatorWorld, PlacementWorld {
  readonly network: Network;
  readonly durable = new Durable();
  readonly checks: Checks;
  readonly placements = new Placements(this);
  readonly runners = new Map<RunnerId, SimRunner>();
  coordinator: SimCoordinator | null = null;
  /** Runner processes that died, and streams that broke: what may fail a training for being deadly. */
  deaths = 0;
  private starts = 0;
  readonly log: string[] = [];

  constructor(
    readonly dice: Dice,
    readonly machines: readonly Machine[],
    readonly step: Step = defaultStep,
    private readonly verbose = false,
    /** Time from which no fault is left. */
    private readonly calmFrom = 0,
  ) {
    this.network = new Network(dice, dice.pick([2, 10, 40]));
    this.checks = new Checks(this.durable, dice, step, longestWindow);
  }

  startCoordinator(): void {
    this.starts++;
    const coordinator = new SimCoordinator(this, `c${this.starts}`, createScheduler(OPTIONS));
    this.coordinator = coordinator;
    this.network.processes.add(coordinator);
  }

  startRunner(machine: Machine): void {
    this.starts++;
    const info: RunnerInfo = {
      id: `${machine.name}.${this.starts}`,
      address: `${machine.name}:1`,
      engine: machine.engine,
      device: 'cpu',
      memoryBytes: machine.claimedBytes,
      stepRate: machine.claimedRate,
      draining: false,
      // The first two are devices of one box.
      link: machine.name < 'm2' ? { node: 'box', device: machine.name, version: 1 } : null,
    };
    const runner = new SimRunner(this, info, machine);
    this.runners.set(info.id, runner);
    this.network.processes.add(runner);
  }

  runnerOn(machine: Machine): SimRunner | undefined {
    return [...this.runners.values()].find((runner) => runner.machine === machine.name);
  }

  /** Ends a runner process; its machine starts another after a while. */
  kill(runner: SimRunner, restartMs: number): void {
    if (!runner.alive) return;
    this.deaths++;
    this.gone(runner, restartMs);
  }

  /** A drained runner exits. */
  exit(runner: SimRunner): void {
    if (runner.alive) this.gone(runner, 500);
  }

  private gone(runner: SimRunner, restartMs: number): void {
    this.network.kill(runner);
    this.runners.delete(runner.info.id);
    const machine = this.machines.find(({ name }) => name === runner.machine)!;
    const { clock } = this.network;
    clock.at(clock.now + restartMs, () => this.startRunner(machine));
  }

  spec(training: TrainingId): TrainingSpec {
    return this.durable.rows.get(training)!.spec;
  }

  demand(training: TrainingId, shards: ShardRange): number {
    const spec = this.spec(training);
    return spec.sharedMemoryBytes + shards.count * spec.shards[0].memoryBytes;
  }

  get calm(): boolean {
    return this.network.clock.now >= this.calmFrom;
  }

  heaviness(training: TrainingId): number {
    return this.durable.rows.get(training)!.heaviness;
  }

  stepMs(training: TrainingId, shards: ShardRange, stepRate: number): number {
    return (1000 * shards.count * this.spec(training).shards[0].cost * this.heaviness(training)) / stepRate;
  }

  applied(at: { training: TrainingId; epoch: number }, runner: RunnerId, step: number): void {
    this.checks.applied(at.training, at.epoch, runner, step);
  }

  trace(coordinator: Process, what: Event | Command): void {
    if (!this.verbose) return;
    this.log.push(
      `${this.network.clock.now.toFixed(0).padStart(7)} ${coordinator.name} ${JSON.stringify(what)}`,
    );
  }
}

function defaultStep(state: State, event: Event): Command[] {
  return step(state, event);
}
