import type { JoiningSession, ReducingSession, Root } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { planReduction, type ReductionOperation } from '../../model/reduction.js';
import { type HostOrder, holdersOf } from '../commands.js';
import { PeerFailure } from './peer-failure.js';
import type { PeerLinks } from './peer-links.js';
import type { SumExchange } from './sum-exchange.js';

/**
 * Sums from device to device, one call a step. The streams between the members carry nothing meanwhile, but tell at once
 * when one of them has died: what waits for its device would wait for ever.
 */
export class DeviceExchange implements SumExchange {
  readonly lanes = 1;
  private readonly order: HostOrder;
  private readonly session: JoiningSession;
  private readonly operations: readonly ReductionOperation<number>[];
  private readonly unwatch: (() => void)[];
  private lost: PeerFailure | undefined;

  /** @param session that has joined the others, each with its place in the placement as its rank */
  constructor(links: PeerLinks, order: HostOrder, plan: Plan, session: JoiningSession) {
    this.order = order;
    this.session = session;
    const holders = holdersOf(order);
    const ranks = new Map(order.placement.map(({ runner }, rank) => [runner, rank]));
    const self = ranks.get(holders[order.shards.first]!)!;
    this.operations = planReduction(plan.shards.length, (shard) => ranks.get(holders[shard]!)!, self);
    this.unwatch = order.placement
      .filter((_, rank) => rank !== self)
      .map(({ runner }) =>
        links.watch(runner, (error) => {
          this.lost ??= new PeerFailure(runner, error);
          session.part();
        }),
      );
  }

  async sum(
    _: ReducingSession,
    __: number,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<readonly Root[]> {
    const part = () => this.session.part();
    signal.addEventListener('abort', part, { once: true });
    if (signal.aborted) part();
    try {
      const parted = await this.session.exchange(this.operations, patienceMs);
      if (!parted) return [];
      if (signal.aborted) throw new ImplicamError('aborted', 'the exchange between devices was ended');
      if (this.lost) throw this.lost;
      throw new PeerFailure(this.order.placement[parted.member]!.runner, new Error(parted.why));
    } finally {
      signal.removeEventListener('abort', part);
    }
  }

  close(): void {
    for (const end of this.unwatch) end();
  }
}
