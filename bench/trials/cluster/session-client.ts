import { setTimeout as sleep } from 'node:timers/promises';
import { ImplicamError } from '../../../model/errors.js';
import { CHANNEL_OPTIONS, type ChannelSecurity, channelCredentials } from '../../../proto/channel.js';
import { wire } from '../../../proto/load.js';
import type { SessionServiceClient } from '../../../proto/types/implicam/v1/SessionService.js';
import type { SessionStatus__Output } from '../../../proto/types/implicam/v1/SessionStatus.js';

export type Status = SessionStatus__Output;

const CALL_DEADLINE = 10_000;
const ASK_AGAIN = 200;

/** A client of the coordinator that outlives it: submits sessions and follows them to their end. */
export class SessionClient {
  private readonly client: SessionServiceClient;

  constructor(address: string, security: ChannelSecurity = {}) {
    this.client = new (wire().SessionService)(address, channelCredentials(security), CHANNEL_OPTIONS);
  }

  submit(session: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.submitSession({ session }, { deadline: Date.now() + CALL_DEADLINE }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  cancel(session: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.cancelSession({ session }, { deadline: Date.now() + CALL_DEADLINE }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /**
   * Follows a session until it is over, through deaths of the coordinator.
   *
   * @throws ImplicamError `session-late` after `deadlineMs`
   */
  async follow(session: string, deadlineMs: number, onStatus?: (status: Status) => void): Promise<Status> {
    const until = performance.now() + deadlineMs;
    let last: Status | undefined;
    while (performance.now() < until) {
      const stream = this.client.watchSession(
        { session },
        { deadline: Date.now() + until - performance.now() },
      );
      try {
        for await (const { status } of stream as AsyncIterable<{ status: Status | null }>) {
          if (!status) continue;
          last = status;
          onStatus?.(status);
        }
      } catch {
        // The coordinator is away, or does not know the session yet: it is asked again.
      }
      if (last && isOver(last)) return last;
      await sleep(ASK_AGAIN);
    }
    const { phase, step, steps, reason } = last ?? {};
    throw new ImplicamError(
      'session-late',
      `session ${session} was not over after ${Math.round(deadlineMs / 1000)} s: ${phase} at step ${step} of ${steps}; ${reason}`,
    );
  }

  close(): void {
    this.client.close();
  }
}

export function isOver({ phase }: Status): boolean {
  return (
    phase === 'SESSION_PHASE_FINISHED' ||
    phase === 'SESSION_PHASE_FAILED' ||
    phase === 'SESSION_PHASE_CANCELLED'
  );
}
