import { ImplicamError } from '../../model/errors.js';

/** Lets a bounded number of pieces of work run at a time, the others in the order they came, a bounded number too. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  readonly #most: number;
  #free: number;

  constructor(width: number, mostWaiting: number) {
    this.#free = width;
    this.#most = mostWaiting;
  }

  /** @throws ImplicamError `store-failed` where too many wait, and what the work throws */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#most) {
      throw new ImplicamError(
        'store-failed',
        'too many requests wait for the object store: try again later',
        {
          status: 503,
        },
      );
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
