import { ImplicamError } from '../../model/errors.js';

/** A peer failed: it is reported, and the coordinator places the training again. */
export class PeerFailure extends Error {
  readonly peer: string;

  constructor(peer: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.peer = peer;
  }
}

/**
 * Turns any failure of a call to a peer into a `PeerFailure` of that peer. With the signal the call is abandoned, not ended:
 * new commands do not wait for the deadlines of old calls.
 *
 * @throws PeerFailure, and ImplicamError `aborted` with the signal
 */
export async function reachPeer<T>(peer: string, call: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new ImplicamError('aborted', 'the call to a peer was aborted'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([call, aborted]);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new PeerFailure(peer, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
