import type { LinkedTrainer, Root, ShardedTrainer } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { planReduction, type ReductionOperation } from '../../model/reduction.js';
import { type HostOrder, holdersOf } from '../commands.js';
import { PeerFailure } from './peer-failure.js';
import type { PeerLinks } from './peer-links.js';
import type { SumExchange } from './sum-exchange.js';

/**
 * Sums from device to device, in one call per step. The streams between the members carry nothing meanwhile, but show at once
 * when a member dies: an operation that waits for its device would never end.
 */
export class DeviceExchange implements SumExchange {
  readonly lanes = 1;
  private readonly order: HostOrder;
  private readonly trainer: LinkedTrainer;
  private readonly operations: readonly ReductionOperation<number>[];
  private readonly unwatch: (() => void)[];
  private lost: PeerFailure | undefined;

  /** @param trainer has joined the others, each with its place in the placement as its rank */
  constructor(links: PeerLinks, order: HostOrder, plan: Plan, trainer: LinkedTrainer) {
    this.order = order;
    this.trainer = trainer;
    const holders = holdersOf(order);
    const ranks = new Map(order.placement.map(({ runner }, rank) => [runner, rank]));
    const self = ranks.get(holders[order.shards.first])!;
    this.operations = planReduction(plan.shards.length, (shard) => ranks.get(holders[shard])!, self);
    this.unwatch = order.placement
      .filter((_, rank) => rank !== self)
      .map(({ runner }) =>
        links.watch(runner, (error) => {
          this.lost ??= new PeerFailure(runner, error);
          trainer.abort();
        }),
      );
  }

  async sum(_: ShardedTrainer, __: number, timeoutMs: number, signal: AbortSignal): Promise<readonly Root[]> {
    const abort = () => this.trainer.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const lost = await this.trainer.exchange(this.operations, timeoutMs);
      if (!lost) return [];
      if (signal.aborted) throw new ImplicamError('aborted', 'the exchange between devices was ended');
      if (this.lost) throw this.lost;
      throw new PeerFailure(this.order.placement[lost.member].runner, new Error(lost.why));
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  close(): void {
    for (const end of this.unwatch) end();
  }
}
