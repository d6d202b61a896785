import { isJoining, type Progress, type ShardedTrainer } from '../../engine/engine.js';
import type { Plan } from '../../model/plan.js';
import type { HostOrder } from '../commands.js';
import type { HostServices } from '../services.js';
import { StepTimes } from '../step-times.js';
import { DeviceExchange } from './device-exchange.js';
import { joinDevices } from './device-rendezvous.js';
import { LinkExchange } from './link-exchange.js';
import { reachPeer } from './peer-failure.js';
import type { SumExchange } from './sum-exchange.js';

/** Timeout for a peer's part of a step, in milliseconds, or this many times this runner's own part if that is longer. */
const PEER_TIMEOUT = 60_000;
const TIMEOUT_STEPS = 20;

/**
 * The part of one holder in the steps of a training: its gradients, the exchange with its peers, the update. Sums go as bytes,
 * or from device to device if the command allows it and all members can.
 */
export class StepExchange {
  private readonly services: HostServices;
  private readonly order: HostOrder;
  private readonly plan: Plan;
  private readonly trainer: ShardedTrainer;
  private readonly bytes: LinkExchange;
  private devices: DeviceExchange | undefined;
  private joining = false;
  private slowest = 0;
  /** What the computation of this holder's own part takes, a step. */
  readonly times = new StepTimes();

  constructor(services: HostServices, order: HostOrder, plan: Plan, trainer: ShardedTrainer) {
    this.services = services;
    this.order = order;
    this.plan = plan;
    this.trainer = trainer;
    this.bytes = new LinkExchange(services.links, order, plan);
  }

  /** Nobody else takes part. */
  get alone(): boolean {
    return this.order.placement.length === 1;
  }

  /** Connects to the peers. @throws PeerFailure, and `aborted` with the signal */
  async connect(signal: AbortSignal): Promise<void> {
    await this.bytes.connect(signal);
    if (this.order.devices) await this.connectDevices(signal);
  }

  /** Takes one step together with the peers. @throws PeerFailure, and `aborted` with the signal */
  async step(step: number, signal: AbortSignal): Promise<Progress> {
    const { trainer } = this;
    const { totals } = this.services;
    const exchange: SumExchange = this.devices ?? this.bytes;
    const began = performance.now();
    await trainer.compute(step, exchange.lanes);
    const computed = performance.now();
    this.times.add(computed - began);
    this.slowest = Math.max(this.slowest, computed - began);
    const timeoutMs = Math.max(PEER_TIMEOUT, TIMEOUT_STEPS * this.slowest);
    const roots = await exchange.sum(trainer, step, timeoutMs, signal);
    totals.reductionSeconds += (performance.now() - computed) / 1000;
    const progress = await trainer.apply(roots);
    totals.steps++;
    if (this.devices) totals.deviceSteps++;
    totals.stepSeconds += (performance.now() - began) / 1000;
    return progress;
  }

  /** Leaves the exchange, without waiting for peers; then the trainer can be closed. */
  async close(): Promise<void> {
    this.devices?.close();
    if (this.joining && isJoining(this.trainer)) await this.trainer.leave().catch(() => undefined);
  }

  private async connectDevices(signal: AbortSignal): Promise<void> {
    const { services, order, trainer } = this;
    const { links, engine, log } = services;
    const device = engine.link;
    // The coordinator decided by what this runner reported when it registered.
    if (!device || 'missing' in device || !isJoining(trainer)) return;
    const abort = () => trainer.abort();
    signal.addEventListener('abort', abort, { once: true });
    this.joining = true;
    try {
      const self = order.shards.first;
      const others = order.placement.filter(({ shards }) => shards.first !== self);
      await Promise.all(others.map((m) => reachPeer(m.runner, links.connect(m), signal)));
      const why = await joinDevices({ links, order, trainer, device, signal });
      if (why === undefined) this.devices = new DeviceExchange(links, order, this.plan, trainer);
      else log(`training ${order.training}: gradients go through the processor: ${why}`);
    } catch (error) {
      // A join that is still under way would wait for its deadline.
      trainer.abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
