import { end, evict, fail, interrupt } from './recovery.js';
import { durableStep, epoch, type MemberState, movingMs, type SessionState, type Turn } from './state.js';
import { cancelTimer, startTimer } from './timers.js';
import type { Epoch, Piece, StoredSnapshot } from './types.js';

/**
 * How a safe snapshot becomes durable: every member writes its pieces, then the driver writes the manifest under the
 * session's lease. One at a time; a manifest on its way outlives the placement that made its pieces. The snapshot before it
 * is kept, and the initial state: what is read of the object store may turn out to be damaged.
 */

/** Snapshots of which a manifest tells. */
const GENERATIONS = 2;

/** Lets every member write its pieces of the newest safe snapshot. */
export function startStore(turn: Turn, session: SessionState): void {
  session.store = { step: session.base, stored: {}, failed: [] };
  session.windowsSinceStore = 0;
  startTimer(turn, 'store', session.spec.id, turn.options.storeDeadlineMs + movingMs(turn, session));
  for (const { runner } of session.placement) {
    turn.commands.push({
      type: 'store',
      runner,
      session: session.spec.id,
      epoch: epoch(session),
      step: session.base,
    });
  }
}

export function onStored(
  turn: Turn,
  session: SessionState,
  member: MemberState,
  step: number,
  pieces: readonly Piece[] | null,
): void {
  const { store } = session;
  if (store === null || store.step !== step || store.stored[member.runner] !== undefined) return;
  if (pieces === null) store.failed = [...new Set([...store.failed, member.runner])];
  else {
    store.stored[member.runner] = [...pieces];
    store.failed = store.failed.filter((runner) => runner !== member.runner);
  }
  const answered = Object.keys(store.stored).length + store.failed.length;
  if (answered < session.placement.length) return;
  if (store.failed.length > 0) storeTrouble(turn, session, 'the object store could not be written');
  else {
    const all = session.placement.flatMap(({ runner }) => store.stored[runner]!);
    const pieces = all.sort((a, b) => a.shard - b.shard);
    session.commit = {
      epoch: epoch(session),
      step,
      engine: session.engine!,
      snapshots: [{ step, pieces }, ...session.stored.slice(0, -1)].slice(0, GENERATIONS),
    };
    session.store = null;
    sendCommit(turn, session);
  }
}

function sendCommit(turn: Turn, session: SessionState): void {
  turn.commands.push({ type: 'commit', session: session.spec.id, ...session.commit! });
  startTimer(turn, 'store', session.spec.id, turn.options.storeDeadlineMs);
}

/** Not everybody could write: try again after a while; who fails twice where others do not is left out. */
function storeTrouble(turn: Turn, session: SessionState, message: string): void {
  const { stored, failed } = session.store!;
  session.store = null;
  cancelTimer(turn, 'store', session.spec.id);
  if (session.stopping) {
    end(turn, session, { type: 'cancelled', session: session.spec.id, step: durableStep(session) });
    return;
  }
  if (!holdStore(turn, session, message)) return;
  const culprits = session.placement.filter(({ runner }) => stored[runner] === undefined);
  if (culprits.length < session.placement.length && session.storeAttempts >= 2) {
    const names = culprits.map(({ runner }) => runner);
    evict(turn, session, names, `${names.join(', ')} could not write to the object store`);
    return;
  }
  // A runner has a deadline of its own for writing: who says nothing hangs, and begins anew from what it holds.
  const silent = culprits.filter(({ runner }) => !failed.includes(runner)).map(({ runner }) => runner);
  if (silent.length > 0) interrupt(turn, session, `${silent.join(', ')} did not answer`);
}

/** Counts an attempt and waits before the next; false if that was the last. */
function holdStore(turn: Turn, session: SessionState, message: string): boolean {
  session.storeAttempts++;
  if (session.storeAttempts >= turn.options.storeLimit) {
    fail(turn, session, 'store', `${message}, tried ${session.storeAttempts} times`);
    return false;
  }
  const ms = Math.min(turn.options.retryMs * 2 ** (session.storeAttempts - 1), turn.options.maxRetryMs);
  session.storeHeld = true;
  startTimer(turn, 'hold', session.spec.id, ms);
  return true;
}

/** The time for storing is up: pieces are given up, a manifest is sent again (writing it twice does no harm). */
export function onStoreDeadline(turn: Turn, session: SessionState): void {
  if (session.store !== null) storeTrouble(turn, session, 'the object store did not answer in time');
  else if (session.commit !== null) onCommitFailed(turn, session, session.commit.epoch, 'no answer in time');
}

/** The wait between attempts is over. */
export function onHoldOver(turn: Turn, session: SessionState): void {
  session.storeHeld = false;
  if (session.commit !== null) sendCommit(turn, session);
}

export function onCommitFailed(turn: Turn, session: SessionState, at: Epoch, message: string): void {
  if (session.commit?.epoch !== at || session.storeHeld) return;
  cancelTimer(turn, 'store', session.spec.id);
  if (session.stopping) {
    end(turn, session, { type: 'cancelled', session: session.spec.id, step: durableStep(session) });
    return;
  }
  holdStore(turn, session, `the manifest could not be written: ${message}`);
}

/** The manifest is durable. */
export function onCommitted(turn: Turn, session: SessionState, at: Epoch, step: number): void {
  const { commit } = session;
  if (commit === null || commit.epoch !== at || commit.step !== step) return;
  session.stored = [...commit.snapshots, ...session.stored.slice(-1)];
  session.durableEngine = commit.engine;
  session.commit = null;
  session.storeAttempts = 0;
  session.storeHeld = false;
  cancelTimer(turn, 'store', session.spec.id);
  cancelTimer(turn, 'hold', session.spec.id);
  if (step === session.spec.steps) end(turn, session, { type: 'finished', session: session.spec.id, step });
}

/**
 * A stored snapshot is damaged: it is struck off, and the session goes back to the newest that is left, in memory or in the
 * object store, at worst to the beginning. That costs time, never a bit: training gives the same ones again.
 */
export function onDamaged(turn: Turn, session: SessionState, step: number, message: string): void {
  if (session.phase !== 'hosting' || step !== session.from) return;
  const intact = (snapshot: StoredSnapshot) => snapshot.step !== step;
  const left = session.stored.filter(intact);
  const told = { type: 'damaged', session: session.spec.id, step, message } as const;
  turn.commands.push({ ...told, left: left[0]?.step ?? null });
  if (left.length === 0) {
    fail(turn, session, 'data', `${message}: nothing is left to begin with; train the session anew`);
    return;
  }
  session.stored = left;
  if (session.commit !== null) session.commit.snapshots = session.commit.snapshots.filter(intact);
  interrupt(turn, session, `the stored snapshot of step ${step} is damaged`);
}
