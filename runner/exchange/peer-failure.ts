import { ImplicamError } from '../../model/errors.js';

/** A peer did not do its part: it is reported, and the training goes on elsewhere or otherwise. */
export class PeerFailure extends Error {
  readonly peer: string;

  constructor(peer: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.peer = peer;
  }
}

/**
 * Blames a peer for whatever goes wrong in a conversation with it. The conversation is left alone, not ended, with the
 * signal: whoever has new orders does not wait for the deadlines of the old ones.
 *
 * @throws PeerFailure, and ImplicamError `aborted` with the signal
 */
export async function reachPeer<T>(peer: string, talk: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new ImplicamError('aborted', 'the conversation with a peer was ended'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([talk, aborted]);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new PeerFailure(peer, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
