import { end, evict, fail, interrupt } from './recovery.js';
import { durableStep, epoch, type MemberState, movingMs, type Training, type Turn } from './state.js';
import { cancelTimer, startTimer } from './timers.js';
import type { Epoch, Piece, StoredSnapshot } from './types.js';

/**
 * How a safe snapshot becomes durable: every member writes its pieces, then the driver writes the manifest under the
 * training's lease. One snapshot at a time; a manifest that is being written outlives the placement that made its pieces.
 * The previous snapshot and the initial state are kept, because a stored snapshot may turn out to be damaged.
 */

/** Snapshots that a manifest names. */
const GENERATIONS = 2;

/** Has every member write its pieces of the newest safe snapshot. */
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
    const all = training.placement.flatMap(({ runner }) => store.stored[runner]);
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

/** Some member could not write: retry after a backoff. A member that fails twice while others succeed is evicted. */
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
  // A runner has a deadline of its own for writing, so one that does not answer hangs: place the training again.
  const silent = culprits.filter(({ runner }) => !failed.includes(runner)).map(({ runner }) => runner);
  if (silent.length > 0) interrupt(turn, training, `${silent.join(', ')} did not answer`);
}

/** Counts an attempt and starts the backoff before the next one; false if that was the last. */
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

/** The deadline for storing has passed: the pieces are abandoned, or the manifest is sent again (it may be written twice). */
export function onStoreDeadline(turn: Turn, training: Training): void {
  if (training.store !== null) onStoreFailure(turn, training, 'the object store did not answer in time');
  else if (training.commit !== null)
    onCommitFailed(turn, training, training.commit.epoch, 'no answer in time');
}

/** The backoff is over. */
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
 * A stored snapshot is damaged: it is removed from the list, and the training goes back to the newest one left, in memory or
 * in the object store, at worst to the initial state. That costs time but changes no bit: training is deterministic.
 */
export function onDamaged(turn: Turn, training: Training, step: number, message: string): void {
  if (training.phase !== 'hosting' || step !== training.from) return;
  const intact = (snapshot: StoredSnapshot) => snapshot.step !== step;
  const left = training.stored.filter(intact);
  turn.commands.push({
    type: 'damaged',
    training: training.spec.id,
    step,
    message,
    left: left[0]?.step ?? null,
  });
  if (left.length === 0) {
    fail(turn, training, 'data', `${message}: nothing is left to begin with; train the session anew`);
    return;
  }
  training.stored = left;
  if (training.commit !== null) training.commit.snapshots = training.commit.snapshots.filter(intact);
  interrupt(turn, training, `the stored snapshot of step ${step} is damaged`);
}
