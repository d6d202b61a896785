import { setTimeout as sleep } from 'node:timers/promises';
import { ImplicamError } from '../../../model/errors.js';
import { CHANNEL_OPTIONS, type ChannelSecurity, channelCredentials } from '../../../proto/channel.js';
import { wire } from '../../../proto/load.js';
import type { TrainingServiceClient } from '../../../proto/types/implicam/v1/TrainingService.js';
import type { TrainingStatus__Output } from '../../../proto/types/implicam/v1/TrainingStatus.js';

export type Status = TrainingStatus__Output;

const CALL_DEADLINE = 10_000;
const ASK_AGAIN = 200;

/** A client of the coordinator that outlives it: submits trainings and follows them to their end. */
export class TrainingClient {
  private readonly client: TrainingServiceClient;

  constructor(address: string, security: ChannelSecurity = {}) {
    this.client = new (wire().TrainingService)(address, channelCredentials(security), CHANNEL_OPTIONS);
  }

  submit(training: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.submitTraining({ training }, { deadline: Date.now() + CALL_DEADLINE }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  cancel(training: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.cancelTraining({ training }, { deadline: Date.now() + CALL_DEADLINE }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /**
   * Follows a training until it is over, through deaths of the coordinator.
   *
   * @throws ImplicamError `training-late` after `deadlineMs`
   */
  async follow(training: string, deadlineMs: number, onStatus?: (status: Status) => void): Promise<Status> {
    const until = performance.now() + deadlineMs;
    let last: Status | undefined;
    while (performance.now() < until) {
      const stream = this.client.watchTraining(
        { training },
        { deadline: Date.now() + until - performance.now() },
      );
      try {
        for await (const { status } of stream as AsyncIterable<{ status: Status | null }>) {
          if (!status) continue;
          last = status;
          onStatus?.(status);
        }
      } catch {
        // The coordinator is away, or does not know the training yet: it is asked again.
      }
      if (last && isOver(last)) return last;
      await sleep(ASK_AGAIN);
    }
    const { phase, step, steps, reason } = last ?? {};
    throw new ImplicamError(
      'training-late',
      `training ${training} was not over after ${Math.round(deadlineMs / 1000)} s: ${phase} at step ${step} of ${steps}; ${reason}`,
    );
  }

  close(): void {
    this.client.close();
  }
}

export function isOver({ phase }: Status): boolean {
  return (
    phase === 'TRAINING_PHASE_FINISHED' ||
    phase === 'TRAINING_PHASE_FAILED' ||
    phase === 'TRAINING_PHASE_CANCELLED'
  );
}
