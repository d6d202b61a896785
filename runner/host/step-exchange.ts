import type { Plan } from '../../model/plan.js';
import { lanesFor, planReduction, type ReductionOperation } from '../../model/reduction.js';
import type { Progress, ReducingSession } from '../engines/engine.js';
import { type HostOrder, shardsOf } from './orders.js';
import { reachPeer } from './peer-failure.js';
import type { ValueName } from './peer-link.js';
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

/** One lane of the exchange: what this holder does for it, and the memory of what it sends, by operation. */
interface LanePlan {
  readonly index: number;
  readonly operations: readonly ReductionOperation<string>[];
  readonly memory: Map<ReductionOperation<string>, Uint8Array>;
}

/** The part of one holder in the steps of a session: its gradients, the exchange with its peers, the update. */
export class StepExchange {
  private readonly links: PeerLinks;
  private readonly order: HostOrder;
  private readonly lanes: readonly LanePlan[];
  private readonly totals: StepTotals;
  private slowest = 0;
  private spent: readonly (number | Buffer)[] = [];

  constructor(links: PeerLinks, order: HostOrder, plan: Plan, totals: StepTotals) {
    this.links = links;
    this.totals = totals;
    this.order = order;
    const holders = new Map<number, string>();
    for (const { runner, shards: range } of order.placement) {
      for (const shard of shardsOf(range)) holders.set(shard, runner);
    }
    const self = holders.get(order.shards.first)!;
    const shared = plan.layout.groups.reduce((sum, g) => sum + (g.scope === 'shared' ? g.size : 0), 0);
    const count = lanesFor(shared, order.placement.length);
    const holderOf = (shard: number) => holders.get(shard)!;
    this.lanes = Array.from({ length: count }, (_, index) => ({
      index,
      operations: planReduction(plan.shards.length, holderOf, self, { index, count }),
      memory: new Map(),
    }));
  }

  /** Nobody else takes part. */
  get alone(): boolean {
    return this.order.placement.length === 1;
  }

  /** Makes the streams to those that this holder talks with. @throws PeerFailure, and `aborted` with the signal */
  async connect(signal: AbortSignal): Promise<void> {
    const partners = new Set<string>();
    for (const operation of this.lanes.flatMap(({ operations }) => operations)) {
      if ('to' in operation) partners.add(operation.to);
      else if (operation.kind === 'receive' || operation.kind === 'receiveRoot') partners.add(operation.from);
    }
    const members = this.order.placement.filter((m) => partners.has(m.runner));
    await Promise.all(members.map((m) => reachPeer(m.runner, this.links.connect(m), signal)));
  }

  /** Takes one step together with the peers. @throws PeerFailure, and `aborted` with the signal */
  async step(session: ReducingSession, step: number, signal: AbortSignal): Promise<Progress> {
    const began = performance.now();
    await session.compute(step, this.lanes.length);
    const computed = performance.now();
    this.slowest = Math.max(this.slowest, computed - began);
    const roots = await Promise.all(this.lanes.map((lane) => this.reduce(lane, session, step, signal)));
    this.totals.reductionSeconds += (performance.now() - computed) / 1000;
    const progress = await session.apply(roots);
    // Those of the step before: who passes a root on may still be sending it, but not when the next one has come.
    for (const root of this.spent) if (typeof root !== 'number') this.links.release(root);
    this.spent = roots;
    this.totals.steps++;
    this.totals.stepSeconds += (performance.now() - began) / 1000;
    return progress;
  }

  /** Sums one lane over all shards: its root, as a slot of the session or as bytes that came from a peer. */
  private async reduce(
    lane: LanePlan,
    session: ReducingSession,
    step: number,
    signal: AbortSignal,
  ): Promise<number | Buffer> {
    let root: number | Buffer = -1;
    /** The root's bytes, once somebody needs them. */
    let value: Uint8Array | undefined;
    for (const operation of lane.operations) {
      switch (operation.kind) {
        case 'combine':
          await session.combine(operation.into, operation.from, lane.index);
          break;
        case 'send': {
          const { to, node, slot } = operation;
          const name = this.name(step, lane, node, false);
          await this.send(to, name, await this.take(operation, lane, session, slot), signal);
          break;
        }
        case 'receive': {
          const { from, node, slot } = operation;
          const received = await this.receive(from, this.name(step, lane, node, false), signal);
          await session.add(slot, received);
          this.links.release(received);
          break;
        }
        case 'root':
          root = operation.slot;
          break;
        case 'receiveRoot':
          root = await this.receive(operation.from, this.name(step, lane, 0, true), signal);
          value = root;
          break;
        case 'sendRoot':
          value ??= await this.take(operation, lane, session, root as number);
          await this.send(operation.to, this.name(step, lane, 0, true), value, signal);
      }
    }
    return root;
  }

  /**
   * A slot's value, in the memory that this operation had for it in the step before: whoever was sent that has it, since
   * nobody ends a step without what everybody sent in it.
   */
  private async take(
    operation: ReductionOperation<string>,
    { index, memory }: LanePlan,
    session: ReducingSession,
    slot: number,
  ): Promise<Uint8Array> {
    const value = await session.take(slot, index, memory.get(operation));
    const { buffer, byteLength } = value;
    if (memory.get(operation)?.buffer !== buffer) {
      // Sums grow a little from step to step.
      memory.set(operation, new Uint8Array(byteLength + (byteLength >> 2)));
    }
    return value;
  }

  private async send(to: string, name: ValueName, value: Uint8Array, signal: AbortSignal): Promise<void> {
    await reachPeer(to, this.links.send(to, name, value), signal);
  }

  private receive(from: string, name: ValueName, signal: AbortSignal): Promise<Buffer> {
    const patience = Math.max(PATIENCE, PATIENCE_STEPS * this.slowest);
    return reachPeer(from, this.links.receive(from, name, patience, signal), signal);
  }

  private name(step: number, lane: LanePlan, node: number, root: boolean): ValueName {
    const { session, epoch } = this.order;
    return { session, epoch, step, node, lane: lane.index, root };
  }
}
