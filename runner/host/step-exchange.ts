import { planReduction, type ReductionOperation } from '../../model/reduction.js';
import type { Progress, ReducingSession } from '../engines/engine.js';
import { type HostOrder, shardsOf } from './orders.js';
import { reachPeer } from './peer-failure.js';
import type { PeerLinks } from './peer-links.js';

/** A peer that lives may take this long for its part of a step, in milliseconds; and this many times our own part. */
const PATIENCE = 60_000;
const PATIENCE_STEPS = 20;

/** Sums for the metrics. */
export interface StepTotals {
  steps: number;
  stepSeconds: number;
  reductionSeconds: number;
}

/** The part of one holder in the steps of a session: its gradients, the exchange with its peers, the update. */
export class StepExchange {
  private readonly links: PeerLinks;
  private readonly order: HostOrder;
  private readonly operations: readonly ReductionOperation<string>[];
  private readonly self: string;
  private readonly totals: StepTotals;
  private slowest = 0;

  constructor(links: PeerLinks, order: HostOrder, shards: number, totals: StepTotals) {
    this.links = links;
    this.totals = totals;
    this.order = order;
    const holders = new Map<number, string>();
    for (const { runner, shards: range } of order.placement) {
      for (const shard of shardsOf(range)) holders.set(shard, runner);
    }
    this.self = holders.get(order.shards.first)!;
    this.operations = planReduction(shards, (shard) => holders.get(shard)!, this.self);
  }

  /** Nobody else takes part. */
  get alone(): boolean {
    return this.order.placement.length === 1;
  }

  /** Makes the streams to those that this holder talks with. @throws PeerFailure, and `aborted` with the signal */
  async connect(signal: AbortSignal): Promise<void> {
    const partners = new Set(
      this.operations.flatMap((o) => ('to' in o ? [o.to] : o.kind === 'combine' ? [] : [o.from])),
    );
    const members = this.order.placement.filter((m) => partners.has(m.runner));
    await Promise.all(members.map((m) => reachPeer(m.runner, this.links.connect(m), signal)));
  }

  /** Takes one step together with the peers. @throws PeerFailure, and `aborted` with the signal */
  async step(session: ReducingSession, step: number, signal: AbortSignal): Promise<Progress> {
    const began = performance.now();
    await session.compute(step);
    const computed = performance.now();
    this.slowest = Math.max(this.slowest, computed - began);
    let root: Uint8Array | undefined;
    const { links } = this;
    for (const operation of this.operations) {
      switch (operation.kind) {
        case 'combine':
          await session.combine(operation.into, operation.from);
          break;
        case 'send': {
          const value = await session.take(operation.node);
          await reachPeer(
            operation.to,
            links.send(operation.to, this.name(step, operation.node, false), value),
            signal,
          );
          break;
        }
        case 'receive': {
          const value = await this.receive(operation.from, step, operation.node, false, signal);
          await session.add(operation.into, value);
          break;
        }
        case 'receiveRoot':
          root = await this.receive(operation.from, step, 0, true, signal);
          break;
        case 'sendRoot':
          root ??= await session.take(0);
          await reachPeer(operation.to, links.send(operation.to, this.name(step, 0, true), root!), signal);
      }
    }
    this.totals.reductionSeconds += (performance.now() - computed) / 1000;
    const progress = await session.apply(root ? { bytes: root } : { shard: 0 });
    this.totals.steps++;
    this.totals.stepSeconds += (performance.now() - began) / 1000;
    return progress;
  }

  private receive(
    from: string,
    step: number,
    node: number,
    root: boolean,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const patience = Math.max(PATIENCE, PATIENCE_STEPS * this.slowest);
    return reachPeer(from, this.links.receive(from, this.name(step, node, root), patience, signal), signal);
  }

  private name(step: number, node: number, root: boolean) {
    const { session, epoch } = this.order;
    return { session, epoch, step, node, root };
  }
}
