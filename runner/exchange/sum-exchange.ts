import type { Root, ShardedTrainer } from '../../engine/engine.js';

/** A way for the members of a placement to sum a step's gradients over all shards. */
export interface SumExchange {
  /** Lanes in which the step is to be computed. */
  readonly lanes: number;
  /**
   * Sums a step that was computed: of each lane the root, for `apply`, valid until the next call.
   *
   * @param timeoutMs how long a peer may take for its part
   * @throws PeerFailure, and `aborted` with the signal
   */
  sum(
    trainer: ShardedTrainer,
    step: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly Root[]>;
}
