import { refusal } from './refusal.js';

/** Counts what each tenant does at a time, and refuses what is beyond a bound. */
export class BusyCounter {
  readonly #counts = new Map<string, number>();
  readonly #most: number;
  readonly #what: string;
  #total = 0;
  readonly #mostOfAll: number;

  /** @param what there is too much of, for the message: "uploads" */
  constructor(what: string, most: number, mostOfAll = Number.POSITIVE_INFINITY) {
    this.#what = what;
    this.#most = most;
    this.#mostOfAll = mostOfAll;
  }

  /** @returns what to call at the end. @throws ImplicamError `busy` */
  enter(tenant: string): () => void {
    const count = this.#counts.get(tenant) ?? 0;
    if (count >= this.#most) {
      throw refusal(429, 'busy', `at most ${this.#most} ${this.#what} at a time: wait for one to end`, 2);
    }
    if (this.#total >= this.#mostOfAll) {
      throw refusal(503, 'busy', `the service has too many ${this.#what}: try again in a moment`, 5);
    }
    this.#counts.set(tenant, count + 1);
    this.#total++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#total--;
      const now = this.#counts.get(tenant)! - 1;
      if (now === 0) this.#counts.delete(tenant);
      else this.#counts.set(tenant, now);
    };
  }
}
