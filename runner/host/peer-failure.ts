/** A peer did not do its part: it is reported, and the session goes on elsewhere or otherwise. */
export class PeerFailure extends Error {
  readonly peer: string;

  constructor(peer: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.peer = peer;
  }
}

/** Blames a peer for whatever goes wrong in a conversation with it. */
export async function reachPeer<T>(peer: string, talk: Promise<T>): Promise<T> {
  try {
    return await talk;
  } catch (error) {
    throw new PeerFailure(peer, error);
  }
}
