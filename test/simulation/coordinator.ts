import type { State } from '../../coordinator/scheduler/state.js';
import type {
  Command,
  Event,
  HeldSnapshot,
  RunnerCommand,
  RunnerId,
  RunnerInfo,
  RunnerReport,
  TrainingId,
} from '../../coordinator/scheduler/types.js';
import type { Checks, Step } from './checks.js';
import type { Dice } from './clock.js';
import type { Durable } from './durable.js';
import { type Network, Process } from './network.js';
import type { Placements } from './placements.js';
import type { CoordinatorProcess, SimRunner } from './runner.js';

/** What a coordinator finds around it. */
export interface CoordinatorWorld {
  readonly network: Network;
  readonly durable: Durable;
  readonly dice: Dice;
  readonly checks: Checks;
  readonly placements: Placements;
  readonly step: Step;
  /** The present one. */
  readonly coordinator: Process | null;
  exit(runner: SimRunner): void;
  trace(coordinator: Process, what: Event | Command): void;
}

/** The scheduler with a driver around it: streams, timers, the manifest. Of what was before it, it knows the rows. */
export class SimCoordinator extends Process implements CoordinatorProcess {
  private readonly streams = new Map<RunnerId, { runner: SimRunner; stream: number }>();
  private readonly timers = new Set<string>();
  private readonly leases = new Map<TrainingId, number>();
  private stale: RunnerReport | null = null;

  constructor(
    private readonly world: CoordinatorWorld,
    name: string,
    readonly state: State,
  ) {
    super(name, name);
    for (const id of world.durable.rows.keys()) world.network.after(50, this, () => this.claim(id));
  }

  /** Claims a training that nobody is working on. One that has been replaced finds them taken. */
  claim(id: TrainingId): void {
    const { durable } = this.world;
    if (this.world.coordinator !== this || durable.rows.get(id)!.state !== 'active') return;
    const spec = durable.claim(id);
    this.leases.set(id, spec.lease);
    this.dispatch({ type: 'trainingSubmitted', spec });
  }

  // --- what comes in

  onJoin(runner: SimRunner, stream: number, info: RunnerInfo, snapshots: HeldSnapshot[]): void {
    if (runner.stream !== stream || runner.coordinator !== this) return;
    this.streams.set(info.id, { runner, stream });
    this.dispatch({ type: 'runnerJoined', runner: info, snapshots });
  }

  onReport(runner: SimRunner, stream: number, report: RunnerReport): void {
    if (this.streams.get(runner.info.id)?.stream !== stream) return;
    this.dispatch(report);
    this.world.checks.stale(this.state, this.stale);
    if (this.stale === null || this.world.dice.chance(0.05)) this.stale = report;
  }

  onDraining(runner: SimRunner, stream: number): void {
    if (this.streams.get(runner.info.id)?.stream !== stream) return;
    this.dispatch({ type: 'runnerUpdated', runner: runner.info.id, draining: true });
  }

  onBroken(other: Process, reason: 'ended' | 'silent'): void {
    for (const [id, { runner }] of this.streams) {
      if (runner !== other) continue;
      this.streams.delete(id);
      this.dispatch({ type: 'runnerLost', runner: id, reason });
    }
  }

  cancel(id: TrainingId): void {
    this.dispatch({ type: 'trainingCancelled', training: id });
  }

  dispatch(event: Event): void {
    const { world } = this;
    world.trace(this, event);
    world.checks.before(this.state, event);
    const commands = world.step(this.state, event);
    for (const command of commands) {
      world.trace(this, command);
      world.checks.on(this.state, command);
    }
    if (commands.length > 0) world.checks.bounds(this.state);
    world.placements.after(this.state, event, commands);
    for (const command of commands) this.carryOut(command);
  }

  // --- what goes out

  private carryOut(command: Command): void {
    const { network, durable } = this.world;
    switch (command.type) {
      case 'host':
      case 'advance':
      case 'store':
      case 'discard':
      case 'park':
      case 'release':
        this.order(command);
        break;
      case 'timer':
        this.timers.add(command.id);
        network.after(command.ms, this, () => {
          if (this.timers.delete(command.id)) this.dispatch({ type: 'timeout', id: command.id });
        });
        break;
      case 'cancelTimer':
        this.timers.delete(command.id);
        break;
      case 'commit':
        this.commit(command);
        break;
      case 'released':
        this.release(command.runner);
        break;
      case 'finished':
        durable.end(command.training, this.leases.get(command.training)!, 'finished', '');
        break;
      case 'failed':
        durable.end(
          command.training,
          this.leases.get(command.training)!,
          'failed',
          `${command.code}: ${command.message}`,
        );
        break;
      case 'cancelled':
        durable.end(command.training, this.leases.get(command.training)!, 'cancelled', '');
        break;
      default:
        break;
    }
  }

  private order(command: RunnerCommand): void {
    const to = this.streams.get(command.runner);
    if (to === undefined) return;
    const { runner, stream } = to;
    this.world.network.send(this, runner, () => {
      if (runner.stream === stream && runner.coordinator === this) runner.onCommand(command);
    });
  }

  private commit(command: Extract<Command, { type: 'commit' }>): void {
    const { network, durable, dice } = this.world;
    const { training, epoch, step, engine, snapshots } = command;
    const lease = this.leases.get(training)!;
    // Once sent, the write happens whatever becomes of the process.
    network.clock.at(network.clock.now + dice.between(5, 50), () => {
      const outage = network.clock.now < durable.outageUntil;
      const done = !outage && durable.commit(training, lease, { epoch, engine, snapshots });
      network.after(dice.between(5, 50), this, () => {
        if (outage) this.dispatch({ type: 'commitFailed', training, epoch, step, message: 'outage' });
        else if (done) this.dispatch({ type: 'committed', training, epoch, step });
        else this.dispatch({ type: 'leaseLost', training, lease });
      });
    });
  }

  private release(id: RunnerId): void {
    const to = this.streams.get(id);
    if (to === undefined) return;
    const { runner, stream } = to;
    this.world.network.send(this, runner, () => {
      if (runner.stream === stream && runner.coordinator === this) this.world.exit(runner);
    });
  }
}
