import { type Api, Problem, wordsOf } from './api.js';
import { sendPhotograph, unfinishedFrame } from './tus.js';

/** A photograph on its way. */
export interface UploadItem {
  readonly file: File;
  readonly frame: number;
  state: 'waiting' | 'sending' | 'paused' | 'judging' | 'done' | 'failed';
  sent: number;
  /** Why it failed or pauses. */
  words: string;
  /** Whether what failed may succeed when it is sent again. */
  mayRetry: boolean;
}

/** Photographs sent at a time: a few, for the time between one and the next; more make each slower. */
const AT_A_TIME = 3;

const naturalOrder = new Intl.Collator(undefined, { numeric: true });

/** The photographs of a session that are on their way. */
export class UploadQueue {
  readonly items: UploadItem[] = [];
  readonly #api: Api;
  readonly #session: string;
  readonly #signal: AbortSignal;
  readonly #onChange: (item: UploadItem) => void;
  readonly #stops = new Map<UploadItem, AbortController>();

  /** @param signal ends everything */
  constructor(api: Api, session: string, signal: AbortSignal, onChange: (item: UploadItem) => void) {
    this.#api = api;
    this.#session = session;
    this.#signal = signal;
    this.#onChange = onChange;
  }

  /**
   * Takes files in the order of their names, numbered behind the frames that there are.
   *
   * @param taken numbers of frames that the session has
   */
  add(files: readonly File[], taken: readonly number[]): UploadItem[] {
    const used = new Set([...taken, ...this.items.map(({ frame }) => frame)]);
    const sorted = [...files].sort((a, b) => naturalOrder.compare(a.name, b.name));
    const added = sorted.map((file): UploadItem => {
      const begun = unfinishedFrame(this.#session, file);
      const frame = begun !== undefined && !used.has(begun) ? begun : Math.max(-1, ...used) + 1;
      used.add(frame);
      return { file, frame, state: 'waiting', sent: 0, words: '', mayRetry: true };
    });
    this.items.push(...added);
    this.#pump();
    return added;
  }

  /** Sends one that failed again. */
  retry(item: UploadItem): void {
    item.state = 'waiting';
    item.words = '';
    this.#onChange(item);
    this.#pump();
  }

  /** Takes one off the list; what is on its way is stopped. */
  remove(item: UploadItem): void {
    this.#stops.get(item)?.abort();
    const at = this.items.indexOf(item);
    if (at >= 0) this.items.splice(at, 1);
  }

  get busy(): boolean {
    return this.items.some(({ state }) => state !== 'done' && state !== 'failed');
  }

  #pump(): void {
    while (this.#stops.size < AT_A_TIME) {
      const next = this.items.find(({ state }) => state === 'waiting');
      if (!next) return;
      void this.#send(next);
    }
  }

  async #send(item: UploadItem): Promise<void> {
    const stop = new AbortController();
    this.#stops.set(item, stop);
    const change = (values: Partial<UploadItem>): void => {
      Object.assign(item, values);
      this.#onChange(item);
    };
    change({ state: 'sending' });
    const { file, frame } = item;
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    try {
      await sendPhotograph(
        this.#api,
        { session: this.#session, frame, file },
        {
          signal,
          onSent: (sent) => change({ sent, state: sent >= file.size ? 'judging' : 'sending' }),
          onPause: (problem) => change(problem ? { state: 'paused', words: problem.message } : { words: '' }),
        },
      );
      change({ state: 'done', sent: file.size, words: '' });
    } catch (error) {
      if (!signal.aborted) change({ state: 'failed', ...failureOf(error, file) });
    } finally {
      this.#stops.delete(item);
      if (!this.#signal.aborted) this.#pump();
    }
  }
}

/** Of a photograph as such: sent again, it is refused again. */
const FOR_GOOD = [409, 413, 415, 422];

function failureOf(error: unknown, file: File): Pick<UploadItem, 'words' | 'mayRetry'> {
  const status = error instanceof Problem ? error.status : 0;
  const words = status === 413 ? `${file.name} is too large for this service.` : wordsOf(error);
  return { words, mayRetry: !FOR_GOOD.includes(status) };
}
