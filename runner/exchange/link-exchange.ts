import type { ShardedTrainer } from '../../engine/engine.js';
import type { Plan } from '../../model/plan.js';
import { lanesFor, planReduction, type ReductionOperation } from '../../model/reduction.js';
import { type HostOrder, holdersOf } from '../commands.js';
import { reachPeer } from './peer-failure.js';
import type { ValueName } from './peer-link.js';
import type { PeerLinks } from './peer-links.js';
import type { SumExchange } from './sum-exchange.js';

/** One lane of the exchange: what this holder does for it, and the memory of what it sends, by operation. */
interface LanePlan {
  readonly index: number;
  readonly operations: readonly ReductionOperation<string>[];
  readonly memory: Map<ReductionOperation<string>, Uint8Array>;
}

/** One step's exchange, on its way. */
interface Turn {
  readonly trainer: ShardedTrainer;
  readonly step: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Sums as bytes: they leave the engine, go over the streams to the peers, and are added on arrival. */
export class LinkExchange implements SumExchange {
  private readonly links: PeerLinks;
  private readonly order: HostOrder;
  private readonly plans: readonly LanePlan[];
  private spent: readonly (number | Buffer)[] = [];

  constructor(links: PeerLinks, order: HostOrder, plan: Plan) {
    this.links = links;
    this.order = order;
    const holders = holdersOf(order);
    const self = holders[order.shards.first];
    const shared = plan.layout.groups.reduce((sum, g) => sum + (g.scope === 'shared' ? g.size : 0), 0);
    const count = lanesFor(shared, order.placement.length);
    this.plans = Array.from({ length: count }, (_, index) => ({
      index,
      operations: planReduction(plan.shards.length, (shard) => holders[shard], self, { index, count }),
      memory: new Map(),
    }));
  }

  get lanes(): number {
    return this.plans.length;
  }

  /** Connects to the members that this one exchanges values with. @throws PeerFailure, and `aborted` with the signal */
  async connect(signal: AbortSignal): Promise<void> {
    const partners = new Set<string>();
    for (const operation of this.plans.flatMap(({ operations }) => operations)) {
      if ('to' in operation) partners.add(operation.to);
      else if (operation.kind === 'receive' || operation.kind === 'receiveRoot') partners.add(operation.from);
    }
    const members = this.order.placement.filter((m) => partners.has(m.runner));
    await Promise.all(members.map((m) => reachPeer(m.runner, this.links.connect(m), signal)));
  }

  async sum(
    trainer: ShardedTrainer,
    step: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly (number | Buffer)[]> {
    const turn = { trainer, step, timeoutMs, signal };
    const roots = await Promise.all(this.plans.map((lane) => this.reduce(lane, turn)));
    // Those of the step before: who passes a root on may still be sending it, but not when the next one has come.
    for (const root of this.spent) if (typeof root !== 'number') this.links.release(root);
    this.spent = roots;
    return roots;
  }

  /** Sums one lane over all shards: its root, as a slot of the trainer or as bytes that came from a peer. */
  private async reduce(lane: LanePlan, turn: Turn): Promise<number | Buffer> {
    const { trainer, step } = turn;
    let root: number | Buffer = -1;
    /** The root's bytes, once somebody needs them. */
    let value: Uint8Array | undefined;
    for (const operation of lane.operations) {
      switch (operation.kind) {
        case 'combine':
          await trainer.combine(operation.into, operation.from, lane.index);
          break;
        case 'send': {
          const { to, node, slot } = operation;
          const name = this.name(step, lane, node, false);
          await this.send(to, name, await this.take(operation, lane, trainer, slot), turn);
          break;
        }
        case 'receive': {
          const { from, node, slot } = operation;
          const received = await this.receive(from, this.name(step, lane, node, false), turn);
          await trainer.add(slot, received);
          this.links.release(received);
          break;
        }
        case 'root':
          root = operation.slot;
          break;
        case 'receiveRoot':
          root = await this.receive(operation.from, this.name(step, lane, 0, true), turn);
          value = root;
          break;
        case 'sendRoot':
          value ??= await this.take(operation, lane, trainer, root as number);
          await this.send(operation.to, this.name(step, lane, 0, true), value, turn);
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
    trainer: ShardedTrainer,
    slot: number,
  ): Promise<Uint8Array> {
    const value = await trainer.take(slot, index, memory.get(operation));
    const { buffer, byteLength } = value;
    if (memory.get(operation)?.buffer !== buffer) {
      // Sums grow a little from step to step.
      memory.set(operation, new Uint8Array(byteLength + (byteLength >> 2)));
    }
    return value;
  }

  private async send(to: string, name: ValueName, value: Uint8Array, { signal }: Turn): Promise<void> {
    await reachPeer(to, this.links.send(to, name, value), signal);
  }

  private receive(from: string, name: ValueName, { timeoutMs, signal }: Turn): Promise<Buffer> {
    return reachPeer(from, this.links.receive(from, name, timeoutMs, signal), signal);
  }

  private name(step: number, lane: LanePlan, node: number, root: boolean): ValueName {
    const { training, epoch } = this.order;
    return { training, epoch, step, node, lane: lane.index, root };
  }
}
