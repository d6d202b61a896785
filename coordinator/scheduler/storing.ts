import { end, evict, fail, interrupt } from './recovery.js';
import { durableStep, epoch, type MemberState, movingMs, type Training, type Turn } from './state.js';
import { cancelTimer, startTimer } from './timers.js';
import type { Epoch, Piece, StoredSnapshot } from './types.js';

/**
 * How a safe snapshot becomes durable: every member writes its pieces, then the driver writes the manifest under the
 * training's lease. One at a time; a manifest on its way outlives the placement that made its pieces. The snapshot before it
 * is kept, and the initial state: what is read of the object store may turn out to be damaged.
 */

/** Snapshots of which a manifest tells. */
const GENERATIONS = 2;

/** Lets every member write its pieces of the newest safe snapshot. */
export function startStore(turn: Turn, training: Training): void {
  training.store = { step: training.base, stored: {}, failed: [] };
  training.windowsSinceStore = 0;
  startTimer(turn, 'store', training.spec.id, turn.options.storeDeadlineMs + movingMs(turn, training));
  for (const { runner } of training.placement) {
    turn.commands.push({
      type: 'store',
      runner,
      training: training.spec.id,
      epoch: epoch(training),
      step: training.base,
    });
  }
}

export function onStored(
  turn: Turn,
  training: Training,
  member: MemberState,
  step: number,
  pieces: readonly Piece[] | null,
): void {
  const { store } = training;
  if (store === null || store.step !== step || store.stored[member.runner] !== undefined) return;
  if (pieces === null) store.failed = [...new Set([...store.failed, member.runner])];
  else {
    store.stored[member.runner] = [...pieces];
    store.failed = store.failed.filter((runner) => runner !== member.runner);
  }
  const answered = Object.keys(store.stored).length + store.failed.length;
  if (answered < training.placement.length) return;
  if (store.failed.length > 0) onStoreFailure(turn, training, 'the object store could not be written');
  else {
    const all = training.placement.flatMap(({ runner }) => store.stored[runner]!);
    const pieces = all.sort((a, b) => a.shard - b.shard);
    training.commit = {
      epoch: epoch(training),
      step,
      engine: training.engine!,
      snapshots: [{ step, pieces }, ...training.stored.slice(0, -1)].slice(0, GENERATIONS),
    };
    training.store = null;
    sendCommit(turn, training);
  }
}

function sendCommit(turn: Turn, training: Training): void {
  turn.commands.push({ type: 'commit', training: training.spec.id, ...training.commit! });
  startTimer(turn, 'store', training.spec.id, turn.options.storeDeadlineMs);
}

/** Not everybody could write: try again after a while; who fails twice where others do not is left out. */
function onStoreFailure(turn: Turn, training: Training, message: string): void {
  const { stored, failed } = training.store!;
  training.store = null;
  cancelTimer(turn, 'store', training.spec.id);
  if (training.cancelling) {
    end(turn, training, { type: 'cancelled', training: training.spec.id, step: durableStep(training) });
    return;
  }
  if (!backOffStore(turn, training, message)) return;
  const culprits = training.placement.filter(({ runner }) => stored[runner] === undefined);
  if (culprits.length < training.placement.length && training.storeAttempts >= 2) {
    const names = culprits.map(({ runner }) => runner);
    evict(turn, training, names, `${names.join(', ')} could not write to the object store`);
    return;
  }
  // A runner has a deadline of its own for writing: who says nothing hangs, and begins anew from what it holds.
  const silent = culprits.filter(({ runner }) => !failed.includes(runner)).map(({ runner }) => runner);
  if (silent.length > 0) interrupt(turn, training, `${silent.join(', ')} did not answer`);
}

/** Counts an attempt and waits before the next; false if that was the last. */
function backOffStore(turn: Turn, training: Training, message: string): boolean {
  training.storeAttempts++;
  if (training.storeAttempts >= turn.options.storeLimit) {
    fail(turn, training, 'store', `${message}, tried ${training.storeAttempts} times`);
    return false;
  }
  const ms = Math.min(turn.options.retryMs * 2 ** (training.storeAttempts - 1), turn.options.maxRetryMs);
  training.storeBackingOff = true;
  startTimer(turn, 'storeBackoff', training.spec.id, ms);
  return true;
}

/** The time for storing is up: pieces are given up, a manifest is sent again (writing it twice does no harm). */
export function onStoreDeadline(turn: Turn, training: Training): void {
  if (training.store !== null) onStoreFailure(turn, training, 'the object store did not answer in time');
  else if (training.commit !== null)
    onCommitFailed(turn, training, training.commit.epoch, 'no answer in time');
}

/** The wait between attempts is over. */
export function onStoreBackoffOver(turn: Turn, training: Training): void {
  training.storeBackingOff = false;
  if (training.commit !== null) sendCommit(turn, training);
}

export function onCommitFailed(turn: Turn, training: Training, at: Epoch, message: string): void {
  if (training.commit?.epoch !== at || training.storeBackingOff) return;
  cancelTimer(turn, 'store', training.spec.id);
  if (training.cancelling) {
    end(turn, training, { type: 'cancelled', training: training.spec.id, step: durableStep(training) });
    return;
  }
  backOffStore(turn, training, `the manifest could not be written: ${message}`);
}

/** The manifest is durable. */
export function onCommitted(turn: Turn, training: Training, at: Epoch, step: number): void {
  const { commit } = training;
  if (commit === null || commit.epoch !== at || commit.step !== step) return;
  training.stored = [...commit.snapshots, ...training.stored.slice(-1)];
  training.durableEngine = commit.engine;
  training.commit = null;
  training.storeAttempts = 0;
  training.storeBackingOff = false;
  cancelTimer(turn, 'store', training.spec.id);
  cancelTimer(turn, 'storeBackoff', training.spec.id);
  if (step === training.spec.steps)
    end(turn, training, { type: 'finished', training: training.spec.id, step });
}

/**
 * A stored snapshot is damaged: it is struck off, and the training goes back to the newest that is left, in memory or in the
 * object store, at worst to the beginning. That costs time, never a bit: training gives the same ones again.
 */
export function onDamaged(turn: Turn, training: Training, step: number, message: string): void {
  if (training.phase !== 'hosting' || step !== training.from) return;
  const intact = (snapshot: StoredSnapshot) => snapshot.step !== step;
  const left = training.stored.filter(intact);
  const told = { type: 'damaged', training: training.spec.id, step, message } as const;
  turn.commands.push({ ...told, left: left[0]?.step ?? null });
  if (left.length === 0) {
    fail(turn, training, 'data', `${message}: nothing is left to begin with; train the training anew`);
    return;
  }
  training.stored = left;
  if (training.commit !== null) training.commit.snapshots = training.commit.snapshots.filter(intact);
  interrupt(turn, training, `the stored snapshot of step ${step} is damaged`);
}
