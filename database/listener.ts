import pg from 'pg';

/** Where facts are announced: `migrations/0001-sessions.ts`. */
export type Channel = 'implicam_sessions' | 'implicam_events' | 'implicam_webhooks';

export interface ListenOptions {
  readonly channels: readonly Channel[];
  /**
   * Called for every notification, and without one after every (re)connection and every `pollSeconds`: notifications
   * are hints, whoever gets one reads the facts.
   */
  readonly onWake: (channel?: Channel, payload?: string) => void;
  /** @default 5 */
  readonly pollSeconds?: number;
  /** Called when the connection breaks; it is made again by itself. */
  readonly onConnectionLost?: (error: Error) => void;
}

export interface Listener {
  /** Stops listening; no call comes after it. */
  close(): Promise<void>;
}

const RETRY_MS = [100, 200, 500, 1000, 2000, 5000];

/**
 * Listens for announcements of the database, on a connection of its own. Where it cannot connect it goes on trying, and
 * polling goes on all the same.
 */
export function listen(url: string, options: ListenOptions): Listener {
  const { channels, onWake } = options;
  let closed = false;
  let failures = 0;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;

  const lost = (from: pg.Client, error: Error): void => {
    if (closed || client !== from) return;
    client = undefined;
    from.end().catch(() => undefined);
    options.onConnectionLost?.(error);
    retry = setTimeout(connect, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  };

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'implicam listener',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client = fresh;
    fresh.on('error', (error) => lost(fresh, error));
    fresh.on('end', () => lost(fresh, new Error('the connection ended')));
    fresh.on('notification', ({ channel, payload }) => {
      if (!closed) onWake(channel as Channel, payload);
    });
    try {
      await fresh.connect();
      for (const channel of channels) await fresh.query(`listen ${channel}`);
      failures = 0;
      if (!closed) onWake();
    } catch (error) {
      lost(fresh, error as Error);
    }
  };

  const poll = setInterval(() => onWake(), 1000 * (options.pollSeconds ?? 5));
  void connect();
  return {
    async close() {
      closed = true;
      clearInterval(poll);
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}
