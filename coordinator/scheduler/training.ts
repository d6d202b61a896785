import { begin, settle } from './hosting.js';
import { addHolding, discardBelow } from './placement/holdings.js';
import { mayHeed, observeWindow } from './placement/observing.js';
import { planMove, presentStepMs } from './placement/planning.js';
import { end, evict, interrupt } from './recovery.js';
import { durableStep, epoch, type MemberState, type SessionState, type Turn } from './state.js';
import { startStore } from './storing.js';
import { cancelTimer, hasTimer, startTimer } from './timers.js';

/**
 * Training in windows. A window ends with a snapshot; two windows are granted beyond the newest safe snapshot, so that
 * nobody waits for the coordinator, and no loss costs more than two windows as long as a buddy survives.
 */

/** All members are ready. */
export function onAllHosted(turn: Turn, session: SessionState): void {
  // Without copies to wait for, the restored snapshot is safe: the object store has it.
  const safe = session.pending.length === 0 ? session.from : newestSafe(session);
  if (safe !== undefined) onSafe(turn, session, safe);
  else grant(turn, session);
}

/**
 * How long a window shall be, in milliseconds: half of what a loss may cost, unless snapshots are so large that their copies
 * would take more than their share of the time. Training would wait for them, and a longer window costs less than that.
 */
function windowMs(turn: Turn, session: SessionState): number {
  const { snapshotMs, snapshotShare, maxWindowMs } = turn.options;
  const slowest = Math.max(...session.placement.map(({ copyMs }) => copyMs));
  return Math.max(snapshotMs / 2, Math.min(slowest / snapshotShare, maxWindowMs));
}

/** Steps of a window, by the observed rate or else the predicted. */
function windowSteps(turn: Turn, session: SessionState): number {
  const { snapshotMs, minWindowSteps, maxWindowSteps } = turn.options;
  const usual = snapshotMs / 2;
  const steps = Math.min(Math.max(usual / stepMs(session), minWindowSteps), maxWindowSteps);
  return Math.round((steps * windowMs(turn, session)) / usual);
}

function stepMs(session: SessionState): number {
  return session.rate > 0 ? 1000 / session.rate : Math.max(session.stepMs, 1e-3);
}

function grant(turn: Turn, session: SessionState): void {
  const ahead = () => session.pending.filter((step) => step > session.base).length;
  const before = session.until;
  while (!session.stopping && session.until < session.spec.steps && ahead() < 2) {
    session.until = Math.min(session.spec.steps, session.until + windowSteps(turn, session));
    session.pending.push(session.until);
  }
  if (session.until > before) advance(turn, session);
  if (expecting(session) && !hasTimer(turn, 'watch', session.spec.id)) watch(turn, session);
}

function advance(turn: Turn, session: SessionState): void {
  const snapshots = session.pending.filter((step) => step > session.from);
  for (const { runner } of session.placement) {
    turn.commands.push({
      type: 'advance',
      runner,
      session: session.spec.id,
      epoch: epoch(session),
      until: session.until,
      snapshots,
    });
  }
}

/** Whether steps or snapshots are still to come. */
function expecting(session: SessionState): boolean {
  return session.committed < session.until || session.pending.length > 0;
}

/** Starts half of the deadline: two halves without any movement are too long. */
function watch(turn: Turn, session: SessionState): void {
  const { stallDeadlineMs, stallSteps } = turn.options;
  const first = session.committed === session.from ? 2 : 1;
  session.moved = false;
  startTimer(
    turn,
    'watch',
    session.spec.id,
    (first * Math.max(stallDeadlineMs, stallSteps * stepMs(session))) / 2,
  );
}

/** Nobody moved for too long and nobody was accused: whoever is furthest behind, or has been quiet longest, must go. */
export function onWatch(turn: Turn, session: SessionState): void {
  if (!expecting(session)) return;
  session.quiet = session.moved ? 0 : session.quiet + 1;
  if (session.quiet < 2 || session.accusations.length > 0) {
    watch(turn, session);
    return;
  }
  const training = session.committed < session.until;
  const at = (member: MemberState) => (training ? member.step : member.taken);
  const last = [...session.placement].sort((a, b) => at(a) - at(b) || a.heard - b.heard)[0]!;
  evict(turn, session, [last.runner], `nothing moved; runner ${last.runner} was at step ${last.step}`);
}

/** A member has applied steps; those that all have applied are committed. */
export function onProgressed(
  turn: Turn,
  session: SessionState,
  member: MemberState,
  report: { step: number; loss: number; psnr: number; stepsPerSecond: number },
): void {
  if (session.phase !== 'training' || report.step > session.until) return;
  if (report.stepsPerSecond > 0) session.rate = report.stepsPerSecond;
  member.step = Math.max(member.step, report.step);
  const committed = session.placement.reduce((least, { step }) => Math.min(least, step), session.until);
  if (committed <= session.committed) return;
  session.committed = committed;
  session.moved = true;
  session.quiet = 0;
  if (committed > session.highWater) {
    session.highWater = committed;
    session.deaths = [];
    session.failures = [];
    session.evictions = 0;
  }
  const { loss, psnr, stepsPerSecond } = report;
  turn.commands.push({
    type: 'progress',
    session: session.spec.id,
    epoch: epoch(session),
    step: committed,
    loss,
    psnr,
    stepsPerSecond,
  });
}

/**
 * A member and its buddy hold a snapshot; it is safe once that is true of all members. The restored snapshot may be
 * reported while others are still restoring it.
 */
export function onSnapshotTaken(
  turn: Turn,
  session: SessionState,
  member: MemberState,
  { step, milliseconds, computeMs }: { step: number; milliseconds: number; computeMs: number },
): void {
  if (!session.pending.includes(step) || member.taken >= step) return;
  member.copyMs = milliseconds;
  member.computeMs = computeMs;
  member.taken = step;
  session.moved = true;
  session.quiet = 0;
  addHolding(session, member.runner, step, member.shards);
  if (member.buddy !== null) addHolding(session, member.buddy, step, member.shards);
  const safe = session.phase === 'training' ? newestSafe(session) : undefined;
  if (safe !== undefined) onSafe(turn, session, safe);
}

/** Newest of the awaited snapshots that every member and its buddy hold. */
function newestSafe(session: SessionState): number | undefined {
  const all = session.placement.reduce(
    (least, { taken }) => Math.min(least, taken),
    Number.POSITIVE_INFINITY,
  );
  return session.pending.filter((step) => step <= all).at(-1);
}

function onSafe(turn: Turn, session: SessionState, step: number): void {
  const at = epoch(session);
  if (step > session.from) observeWindow(turn, session, step - session.base);
  session.base = step;
  session.pending = session.pending.filter((pending) => pending > step);
  if (step > session.from) session.windowsSinceStore++;
  settle(turn, session);
  discardBelow(turn, session, at, Math.min(step, session.store?.step ?? step));
  consider(turn, session, true);
  const same = turn.state.sessions[session.spec.id] === session && epoch(session) === at;
  if (same && session.phase === 'training') grant(turn, session);
}

/**
 * What to do beside training: store, finish, stop, move. `fresh`: the newest safe snapshot has just become safe, so going
 * back to it costs little.
 */
export function consider(turn: Turn, session: SessionState, fresh: boolean): void {
  if (session.phase !== 'training') return;
  const { base, spec } = session;
  const durable = durableStep(session);
  const idle = session.store === null && session.commit === null && !session.storeHeld;
  if (session.stopping) {
    if (session.store !== null || session.commit !== null) return;
    if (base > durable && idle) startStore(turn, session);
    else end(turn, session, { type: 'cancelled', session: spec.id, step: durable });
    return;
  }
  if (base === spec.steps) {
    cancelTimer(turn, 'watch', spec.id);
    if (idle) startStore(turn, session);
    return;
  }
  if (drains(turn, session)) {
    leave(turn, session, fresh, idle);
    return;
  }
  const due =
    session.windowsSinceStore >= Math.max(1, Math.round(turn.options.storeMs / windowMs(turn, session)));
  if (idle && due && base > durable) startStore(turn, session);
  if (fresh && (session.evaluated !== turn.state.topology || mayHeed(turn, session)))
    rebalance(turn, session);
}

/** Whether a runner wants to go that this placement uses. */
function drains(turn: Turn, session: SessionState): boolean {
  const draining = (runner: string | null) =>
    runner !== null && turn.state.runners[runner]?.info.draining === true;
  return session.placement.some(({ runner, buddy }) => draining(runner) || draining(buddy));
}

/** Moves away from draining runners; where there is nobody else, stores the state and waits for somebody. */
function leave(turn: Turn, session: SessionState, fresh: boolean, idle: boolean): void {
  const plan = planMove(turn, session);
  if (plan !== null) {
    if (fresh) begin(turn, session, plan, 'a runner leaves');
  } else if (session.base > durableStep(session)) {
    if (idle) startStore(turn, session);
  } else {
    interrupt(turn, session, 'the last runner leaves');
  }
}

/** Moves to a better placement if that pays. */
function rebalance(turn: Turn, session: SessionState): void {
  if (session.store !== null) return;
  const changed = session.evaluated !== turn.state.topology;
  if (changed) session.moves = 0;
  session.evaluated = turn.state.topology;
  session.heeded = turn.state.speeds;
  const plan = planMove(turn, session);
  if (plan === null) return;
  const now = presentStepMs(turn, session);
  const left = session.spec.steps - session.committed;
  // The ratio of the two is right whatever steps cost; the time is the cost model's, put right by what was observed.
  const saved = (left * (now - plan.placement.stepMs)) / (session.scale ?? 1);
  const { rebalanceGain, rebalanceSavedMs } = turn.options;
  if (now / plan.placement.stepMs < rebalanceGain || saved < rebalanceSavedMs) return;
  const { moves } = session;
  begin(turn, session, plan, changed ? 'runners changed' : 'runners are not as fast as they measured');
  if (!changed) session.moves = moves + 1;
}

/** Cancelled: what is held is stored first if that is possible at once. */
export function stop(turn: Turn, session: SessionState): void {
  if (session.stopping) return;
  if (session.phase !== 'training') {
    end(turn, session, { type: 'cancelled', session: session.spec.id, step: durableStep(session) });
    return;
  }
  session.stopping = true;
  cancelTimer(turn, 'watch', session.spec.id);
  session.pending = [];
  session.until = session.base;
  advance(turn, session);
  consider(turn, session, false);
}
