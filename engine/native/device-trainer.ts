import type { Plan } from '../../model/plan.js';
import type { ReductionOperation } from '../../model/reduction.js';
import type { LinkedTrainer, Membership, PeerLost } from '../engine.js';
import { type AddonTrainer, MOVES } from './addon.js';
import { Trainer } from './trainer.js';

/** How long a trainer that leaves an exchange waits for what it sent to arrive, in milliseconds. */
const LEAVE = 1000;

/** A trainer on a device. */
export class DeviceTrainer extends Trainer implements LinkedTrainer {
  private readonly carrier: string;

  /** @param carrier path of the library of NCCL; empty where there is none */
  constructor(
    plan: Plan,
    shards: readonly number[],
    addon: AddonTrainer,
    step: number,
    explain: (error: unknown) => unknown,
    carrier: string,
  ) {
    super(plan, shards, addon, step, explain);
    this.carrier = carrier;
  }

  join({ id, rank, ranks }: Membership, deadlineMs: number): Promise<void> {
    return this.enqueue(() => this.addon.join(this.carrier, id, rank, ranks, deadlineMs));
  }

  exchange(
    operations: readonly ReductionOperation<number>[],
    patienceMs: number,
  ): Promise<PeerLost | undefined> {
    const moves = Int32Array.from(operations.flatMap(moveOf));
    return this.enqueue(async () => {
      const lost = await this.addon.exchange(moves, patienceMs);
      return lost.member < 0 ? undefined : lost;
    });
  }

  abort(): void {
    this.addon.abort();
  }

  leave(): Promise<void> {
    return this.enqueue(() => this.addon.leave(LEAVE));
  }
}

/** The operation, its slot, and the other slot or member. */
function moveOf(operation: ReductionOperation<number>): [number, number, number] {
  const move = MOVES[operation.kind];
  switch (operation.kind) {
    case 'combine':
      return [move, operation.into, operation.from];
    case 'send':
      return [move, operation.slot, operation.to];
    case 'receive':
      return [move, operation.slot, operation.from];
    case 'root':
      return [move, operation.slot, 0];
    case 'receiveRoot':
      return [move, 0, operation.from];
    case 'sendRoot':
      return [move, 0, operation.to];
  }
}
