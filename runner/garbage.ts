import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Messages leave garbage outside of V8's heap, many times their size: the encoded message, its frame, 64 KB for every
 * read however little came, the message put together. V8 looks through its young objects when those have filled their
 * space, after a few hundred megabytes of messages; long before, it marks everything that is alive, 30 to 80 ms each time
 * on all its threads. Looking through the young objects alone, this often, takes about one millisecond and frees the same.
 */
const EVERY = 3 * 2 ** 20;

/**
 * - What is alive may grow to this much more, in percent, before it is all marked. V8 goes by the size of its heap,
 *   20 MB here, but counts snapshots, which a training runner allots and drops by the ten megabytes every few seconds.
 * - One thread looks through the young objects: waking the others takes longer than the work, and their processors train.
 */
const FLAGS = ['--heap-growing-percent=400', '--no-parallel-scavenge'];

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | undefined;
let bytes = 0;

/** Counts a message of that many bytes, sent or received. */
export function countGarbage(length: number): void {
  bytes += length;
  if (bytes < EVERY) return;
  bytes = 0;
  collect ??= youngCollector();
  collect({ type: 'minor' });
}

/** Collects garbage on demand, a function that V8 gives only to those who ask for it. */
function youngCollector(): Collect {
  for (const flag of FLAGS) setFlagsFromString(flag);
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}
