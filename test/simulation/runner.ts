import type {
  Epoch,
  HeldSnapshot,
  RunnerCommand,
  RunnerId,
  RunnerInfo,
  RunnerReport,
  ShardRange,
  Source,
  TrainingId,
} from '../../coordinator/scheduler/types.js';
import type { Dice } from './clock.js';
import { type Durable, maskOf, Violation } from './durable.js';
import { type Gradient, type HostCommand, HostedTraining } from './hosted-training.js';
import { SimMemory } from './memory.js';
import { type Network, Process, SILENCE_MS } from './network.js';

/** Shards are restored; `wrong`: with what was damaged. */
type Got = (shards: ShardRange, wrong: boolean) => void;
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** Where a runner sends its reports. */
export interface CoordinatorProcess extends Process {
  onJoin(runner: SimRunner, stream: number, info: RunnerInfo, snapshots: HeldSnapshot[]): void;
  onReport(runner: SimRunner, stream: number, report: RunnerReport): void;
  onDraining(runner: SimRunner, stream: number): void;
}

/** What a runner finds around it. */
export interface RunnerWorld {
  readonly network: Network;
  readonly durable: Durable;
  readonly dice: Dice;
  readonly runners: ReadonlyMap<RunnerId, SimRunner>;
  readonly coordinator: CoordinatorProcess | null;
  demand(training: TrainingId, shards: ShardRange): number;
  /** What a part of a step takes a runner that does nothing else, in milliseconds. */
  stepMs(training: TrainingId, shards: ShardRange, stepRate: number): number;
  applied(at: { training: TrainingId; epoch: Epoch }, runner: RunnerId, step: number): void;
}

const REPORT_MS = 500;
const RECONNECT_MS = 400;
const RESTORE_MS = 60;

/** A runner process, with the behaviour that docs/reference/COORDINATION.md asks for. */
export class SimRunner extends Process {
  /** Generation of the stream to the coordinator: nothing of an old stream arrives on a new one. */
  stream = 0;
  coordinator: CoordinatorProcess | null = null;
  draining = false;
  /** Computation takes this many times longer. */
  slowness = 1;
  /** Faults that wait for an opportunity. */
  failNext = false;
  private hangNext = false;
  readonly hosts = new Map<TrainingId, HostedTraining>();
  private readonly memory: SimMemory;
  private readonly seen = new Map<TrainingId, Epoch>();
  /** Gradients of epochs whose `host` command has not arrived yet. */
  private readonly early: Gradient[] = [];

  constructor(
    private readonly world: RunnerWorld,
    readonly info: RunnerInfo,
    /** What it really is, whatever it says. */
    readonly truth: { readonly name: string; readonly memoryBytes: number; readonly stepRate: number },
  ) {
    super(info.id, truth.name);
    this.memory = new SimMemory(this.name);
    this.connect();
  }

  // --- the stream to the coordinator

  private connect(): void {
    const { network } = this.world;
    const target = this.world.coordinator;
    if (this.coordinator !== null) return;
    if (target === null || network.down(this, target)) {
      network.after(RECONNECT_MS, this, () => this.connect());
      return;
    }
    this.coordinator = target;
    this.stream++;
    const { stream } = this;
    const snapshots = this.memory.held();
    const info = { ...this.info, draining: this.draining };
    network.send(this, target, () => target.onJoin(this, stream, info, snapshots));
  }

  /** A fault: the training loops stop, though the process answers. */
  hang(): void {
    this.hangNext = this.hosts.size === 0 || this.world.dice.chance(0.3);
    for (const host of this.hosts.values()) host.hung = true;
  }

  drain(): void {
    this.draining = true;
    const { coordinator, stream } = this;
    if (coordinator === null) return;
    this.world.network.send(this, coordinator, () => coordinator.onDraining(this, stream));
  }

  /** Ends the stream, as a proxy in between might. */
  disconnect(): void {
    if (this.coordinator !== null) this.world.network.breakBoth(this, this.coordinator, 'ended');
  }

  onBroken(other: Process): void {
    if (other === this.coordinator) {
      this.coordinator = null;
      this.connect();
    } else if (other instanceof SimRunner) {
      for (const host of this.hosts.values()) this.accuse(host, other.info.id);
    }
  }

  private report(
    epoch: Epoch,
    training: TrainingId,
    body: Without<RunnerReport, 'runner' | 'training' | 'epoch'>,
  ): void {
    const { coordinator, stream } = this;
    if (coordinator === null) return;
    const report = { ...body, runner: this.info.id, training, epoch } as RunnerReport;
    this.world.network.send(this, coordinator, () => coordinator.onReport(this, stream, report));
  }

  // --- commands

  onCommand(command: RunnerCommand): void {
    const { training, epoch } = command;
    if (epoch < (this.seen.get(training) ?? 0)) return;
    this.seen.set(training, epoch);
    if ((this.hosts.get(training)?.command.epoch ?? epoch) < epoch) this.hosts.delete(training);
    const host = this.hosts.get(training);
    switch (command.type) {
      case 'host':
        this.host(command);
        break;
      case 'advance':
        if (host === undefined) break;
        host.until = command.until;
        host.snapshots = [...command.snapshots];
        this.compute(host);
        break;
      case 'store':
        this.store(command.training, command.epoch, command.step);
        break;
      case 'discard':
        this.memory.drop(training, (step) => step < command.below);
        break;
      case 'park':
        this.hosts.delete(training);
        break;
      case 'release':
        this.hosts.delete(training);
        this.memory.forget(training);
        break;
    }
  }

  private host(command: HostCommand): void {
    const { network } = this.world;
    const { training, epoch, shards } = command;
    const host = new HostedTraining(command, this.info.id, this.hangNext);
    this.hangNext = false;
    this.hosts.set(training, host);
    this.memory.drop(training, (step) => step > command.step);
    const demand = this.world.demand(training, shards);
    if (demand > this.truth.memoryBytes || this.failNext) {
      const code = demand > this.truth.memoryBytes ? 'memory' : 'engine';
      this.failNext = false;
      this.report(epoch, training, { type: 'failed', code, message: `could not host on ${this.machine}` });
      this.hosts.delete(training);
      return;
    }
    const partners = new Set([...host.peers, command.buddy, ...command.sources.map(({ holder }) => holder)]);
    for (const partner of partners)
      if (partner !== null && partner !== this.info.id) this.watchPeer(host, partner);
    network.after(RESTORE_MS * network.dice.between(0.5, 2), this, () => this.restore(host));
  }

  /** A peer that cannot be reached when the epoch begins is noticed as one that falls silent later. */
  private watchPeer(host: HostedTraining, partner: RunnerId): void {
    const { network } = this.world;
    const look = () => {
      const peer = this.world.runners.get(partner);
      if (peer === undefined || network.down(this, peer)) this.accuse(host, partner);
    };
    const peer = this.world.runners.get(partner);
    if (peer === undefined || !peer.alive) network.after(5, this, look);
    else if (network.down(this, peer)) network.after(SILENCE_MS, this, look);
  }

  private accuse(host: HostedTraining, peer: RunnerId): void {
    const { command, accused, peers } = host;
    const known =
      peers.includes(peer) || command.buddy === peer || command.sources.some((s) => s.holder === peer);
    if (this.hosts.get(command.training) !== host || accused.has(peer) || !known) return;
    accused.add(peer);
    this.report(command.epoch, command.training, { type: 'peerFailed', peer });
  }

  // --- restoring

  private restore(host: HostedTraining): void {
    const { command } = host;
    if (this.hosts.get(command.training) !== host || host.hung) return;
    let missing = command.sources.length;
    const got = (shards: ShardRange, wrong: boolean) => {
      this.memory.keep(command.training, command.step, maskOf(shards), wrong);
      host.wrong ||= wrong;
      missing--;
      if (missing === 0) this.restored(host);
    };
    let covered = 0;
    for (const source of command.sources) {
      covered |= maskOf(source.shards);
      if (source.holder === null) this.fetchStored(host, source, got);
      else this.fetchFrom(host, source.holder, source.shards, got);
    }
    if ((covered & maskOf(command.shards)) !== maskOf(command.shards)) {
      throw new Violation(`${this.name} is to host shards that no source covers`);
    }
  }

  /** Reads pieces of the object store, and checks them against the command. */
  private fetchStored(host: HostedTraining, { shards, pieces }: Source, got: Got): void {
    const { training, step, epoch } = host.command;
    const found = this.world.durable.read(training, step, shards, pieces);
    if (found === 'damaged') {
      this.report(epoch, training, { type: 'damaged', step, message: `step ${step} is damaged` });
    } else got(shards, found === 'wrong');
  }

  private fetchFrom(host: HostedTraining, holder: RunnerId, shards: ShardRange, got: Got): void {
    const { network } = this.world;
    const { training, step } = host.command;
    const mask = maskOf(shards);
    const has = (runner: SimRunner) => runner.memory.has(training, step, mask);
    if (holder === this.info.id) {
      if (has(this)) got(shards, this.memory.isWrong(training, step, mask));
      else throw new Violation(`${this.name} is to restore ${training} at ${step} from memory: not there`);
      return;
    }
    const source = this.world.runners.get(holder);
    if (source === undefined || !source.alive) return;
    network.send(this, source, () => {
      const found = has(source);
      const wrong = source.memory.isWrong(training, step, mask);
      network.send(source, this, () => {
        if (this.hosts.get(training) !== host) return;
        if (found) got(shards, wrong);
        else this.accuse(host, holder);
      });
    });
  }

  private restored(host: HostedTraining): void {
    const { command } = host;
    if (this.hosts.get(command.training) !== host) return;
    host.started = true;
    this.world.applied(command, this.info.id, host.step);
    this.report(command.epoch, command.training, { type: 'hosted' });
    if (command.copy) this.take(host, command.step);
    for (const one of this.early.filter((each) => host.isMeant(each))) host.receive(one);
    this.early.splice(0, this.early.length, ...this.early.filter((each) => !host.isMeant(each)));
    this.compute(host);
  }

  // --- training: step n + 1 needs everybody's step n

  private compute(host: HostedTraining): void {
    const { network } = this.world;
    const { command } = host;
    if (!host.mayCompute) return;
    host.computing = true;
    // Who computes at the same time shares the device.
    const sharing = [...this.hosts.values()].filter(({ computing }) => computing).length;
    const idle = this.world.stepMs(command.training, command.shards, this.truth.stepRate) * this.slowness;
    const ms = idle * sharing * network.dice.between(0.9, 1.1);
    network.after(ms, this, () => {
      host.computing = false;
      if (this.hosts.get(command.training) !== host || host.hung) return;
      host.times.add(ms);
      const gradient = host.computed();
      for (const peer of host.peers) this.sendGradient(host, peer, gradient);
      this.apply(host);
    });
  }

  private sendGradient(host: HostedTraining, peer: RunnerId, gradient: Gradient): void {
    const target = this.world.runners.get(peer);
    if (target === undefined || host.accused.has(peer)) return;
    this.world.network.send(this, target, () => target.onGradient(gradient));
  }

  private onGradient(gradient: Gradient): void {
    const { training, epoch, peer } = gradient;
    const host = this.hosts.get(training);
    const present = host?.command.epoch ?? 0;
    if (host !== undefined && present === epoch) {
      if (!host.accused.has(peer)) host.receive(gradient);
      this.apply(host);
    } else if (epoch > present && epoch >= (this.seen.get(training) ?? 0)) {
      this.early.push(gradient);
      if (this.early.length > 200) this.early.shift();
    }
  }

  private apply(host: HostedTraining): void {
    const { command } = host;
    const next = host.step + 1;
    if (!host.mayApply) return;
    host.step = next;
    this.world.applied(command, this.info.id, next);
    if (host.snapshots.includes(next)) this.take(host, next);
    const { now } = this.world.network.clock;
    if (now - host.reportedAt >= REPORT_MS || next >= host.until) {
      const stepsPerSecond = host.rate(now);
      host.reportedAt = now;
      const body = { step: next, loss: 1 / next, psnr: next, stepsPerSecond };
      this.report(command.epoch, command.training, { type: 'progressed', ...body });
    }
    this.compute(host);
  }

  // --- snapshots

  private take(host: HostedTraining, step: number): void {
    const { network } = this.world;
    const { training, epoch, shards, buddy } = host.command;
    const { wrong } = host;
    this.memory.keep(training, step, maskOf(shards), wrong);
    const began = network.clock.now;
    const computeMs = host.times.take();
    const taken = () => {
      const milliseconds = network.clock.now - began;
      this.report(epoch, training, { type: 'snapshotTaken', step, milliseconds, computeMs });
    };
    if (buddy === null) {
      taken();
      return;
    }
    const peer = this.world.runners.get(buddy);
    if (peer === undefined || host.accused.has(buddy)) return;
    network.send(this, peer, () => {
      if (epoch < (peer.seen.get(training) ?? 0)) return;
      peer.memory.keep(training, step, maskOf(shards), wrong);
      network.send(peer, this, taken);
    });
  }

  private store(training: TrainingId, epoch: Epoch, step: number): void {
    const { network, durable } = this.world;
    const host = this.hosts.get(training);
    if (host === undefined || host.hung) return;
    const mask = maskOf(host.command.shards);
    if (!this.memory.has(training, step, mask)) {
      throw new Violation(`${this.name} is to store ${training} at ${step}, which it does not hold`);
    }
    const wrong = this.memory.isWrong(training, step, mask);
    network.after(network.dice.between(20, 200), this, () => {
      if (network.clock.now < durable.outageUntil) {
        this.report(epoch, training, { type: 'storeFailed', step, message: 'outage' });
        return;
      }
      const pieces = durable.write(training, step, host.command.shards, wrong);
      this.report(epoch, training, { type: 'stored', step, pieces });
    });
  }
}
