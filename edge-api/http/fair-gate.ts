import { refusal } from './refusal.js';

export interface FairGateOptions {
  /** Pieces of work at a time. */
  readonly width: number;
  /** Those that may wait, of all tenants and of one. */
  readonly waiting: number;
  readonly waitingPerTenant: number;
  /** What there is too much of, for the message: "renders". */
  readonly what: string;
}

interface Waiting {
  readonly start: () => void;
}

/**
 * Lets a bounded number of pieces of work run at a time. Those that wait are let in one tenant after the other, so that
 * a tenant who asks for much waits behind itself only.
 */
export class FairGate {
  readonly #options: FairGateOptions;
  /** Tenants with work waiting, in the order of their turns. */
  readonly #queues = new Map<string, Waiting[]>();
  #running = 0;
  #waiting = 0;

  constructor(options: FairGateOptions) {
    this.#options = options;
  }

  /** Pieces of work that run or wait. */
  get load(): number {
    return this.#running + this.#waiting;
  }

  /** @throws ImplicamError `busy` where too many wait, and the signal's reason when it comes while waiting */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(tenant, signal);
    try {
      return await work();
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #enter(tenant: string, signal: AbortSignal): Promise<void> {
    const { width, waiting, waitingPerTenant, what } = this.#options;
    if (this.#running < width) {
      this.#running++;
      return Promise.resolve();
    }
    const queue = this.#queues.get(tenant) ?? [];
    if (queue.length >= waitingPerTenant || this.#waiting >= waiting) {
      return Promise.reject(refusal(503, 'busy', `too many ${what} are waiting: try again in a moment`, 2));
    }
    this.#queues.set(tenant, queue);
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(entry), 1);
        if (queue.length === 0) this.#queues.delete(tenant);
        this.#waiting--;
        reject(signal.reason);
      };
      queue.push(entry);
      this.#waiting++;
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  #next(): void {
    const [turn] = this.#queues;
    if (!turn || this.#running >= this.#options.width) return;
    const [tenant, queue] = turn;
    const entry = queue.shift()!;
    this.#queues.delete(tenant);
    if (queue.length > 0) this.#queues.set(tenant, queue);
    this.#waiting--;
    this.#running++;
    entry.start();
  }
}
