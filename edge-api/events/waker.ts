/** Tells who follows a session's events that there may be new ones. */
export interface EventWaker {
  follow(session: string): Follower;
}

export interface Follower {
  /**
   * Resolves when there may have been news since the last call, or after `milliseconds`, or with the signal, whichever
   * is first. News between two calls are not missed.
   */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Wakes by notifications that somebody listens to and passes on. */
export interface NotifiedWaker extends EventWaker {
  /** @param session the one with news; undefined: look at all of them */
  notify(session?: string): void;
}

export function createNotifiedWaker(): NotifiedWaker {
  const followers = new Map<string, Set<() => void>>();
  return {
    follow(session) {
      let news = false;
      let wake: () => void = () => undefined;
      const hear = (): void => {
        news = true;
        wake();
      };
      const those = followers.get(session) ?? new Set();
      followers.set(session, those.add(hear));
      return {
        async wait(milliseconds, signal) {
          if (!news) {
            await pause(milliseconds, signal, (done) => {
              wake = done;
            });
          }
          news = false;
        },
        close() {
          those.delete(hear);
          if (those.size === 0 && followers.get(session) === those) followers.delete(session);
        },
      };
    },
    notify(session) {
      const heard = session === undefined ? [...followers.values()] : [followers.get(session) ?? []];
      for (const those of heard) for (const hear of [...those]) hear();
    },
  };
}

/** Wakes by the clock alone, where no connection can be kept to listen on: followers look again every so often. */
export function createPollingWaker(everyMilliseconds: number): EventWaker {
  return {
    follow: () => ({
      wait: (milliseconds, signal) =>
        pause(Math.min(milliseconds, everyMilliseconds), signal, () => undefined),
      close: () => undefined,
    }),
  };
}

function pause(
  milliseconds: number,
  signal: AbortSignal,
  handOver: (done: () => void) => void,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
    handOver(done);
  });
}
