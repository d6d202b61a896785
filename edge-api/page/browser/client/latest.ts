/** A wait that rejects when the signal ends it. */
export type Load<Q, R> = (query: Q, signal: AbortSignal) => Promise<R>;

export interface LatestOptions<Q, R> {
  readonly load: Load<Q, R>;
  readonly onResult: (result: R, query: Q) => void | Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onBusy: (busy: boolean) => void;
  /** Milliseconds of quiet before a query is sent. */
  readonly debounce: number;
  /** Milliseconds that an overtaken query may still take before it is given up. */
  readonly patience: number;
}

/**
 * Of many queries in quick succession the newest matters. One is under way at a time, so that a slider that is dragged
 * shows pictures on its way without a queue growing in the service; one that takes too long is given up for a newer.
 */
export class Latest<Q, R> {
  readonly #options: LatestOptions<Q, R>;
  #next: Q | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #impatience: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;
  #closed = false;

  constructor(options: LatestOptions<Q, R>) {
    this.#options = options;
  }

  ask(query: Q): void {
    if (this.#closed) return;
    this.#next = query;
    this.#options.onBusy(true);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), this.#options.debounce);
    if (this.#running && this.#impatience === undefined) {
      const running = this.#running;
      this.#impatience = setTimeout(() => running.abort(), this.#options.patience);
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#impatience);
    this.#running?.abort();
  }

  #start(): void {
    this.#timer = undefined;
    if (this.#running || this.#next === undefined) return;
    const query = this.#next;
    this.#next = undefined;
    void this.#run(query);
  }

  async #run(query: Q): Promise<void> {
    const { load, onResult, onError, onBusy } = this.#options;
    const controller = new AbortController();
    this.#running = controller;
    try {
      const result = await load(query, controller.signal);
      if (!controller.signal.aborted && !this.#closed) await onResult(result, query);
    } catch (error) {
      if (!controller.signal.aborted && !this.#closed) onError(error);
    }
    this.#running = undefined;
    clearTimeout(this.#impatience);
    this.#impatience = undefined;
    if (this.#closed) return;
    if (this.#next === undefined) onBusy(false);
    else if (this.#timer === undefined) this.#start();
  }
}
