import { settle, startPlacement } from './hosting.js';
import { addHolding, discardBelow } from './placement/holdings.js';
import { mayRebalanceForSpeed, observeWindow } from './placement/observing.js';
import { planMove, presentStepMs } from './placement/planning.js';
import { end, evict, interrupt } from './recovery.js';
import { durableStep, epoch, type MemberState, type Training, type Turn } from './state.js';
import { startStore } from './storing.js';
import { cancelTimer, hasTimer, startTimer } from './timers.js';

/**
 * Training in windows. A window ends with a snapshot. Two windows are granted beyond the newest safe snapshot, so that no
 * member waits for the coordinator, and the loss of a runner costs at most two windows as long as its buddy survives.
 */

/** All members are ready. */
export function onAllHosted(turn: Turn, training: Training): void {
  // If no copies are pending, the restored snapshot is safe: the object store has it.
  const safe = training.pending.length === 0 ? training.from : newestSafe(training);
  if (safe !== undefined) onSafe(turn, training, safe);
  else grant(turn, training);
}

/**
 * Length of a window in milliseconds: half of what a loss may cost, unless snapshots are so large that their copies would
 * take more than their share of the time. Training would wait for them, and a longer window costs less than that.
 */
function windowMs(turn: Turn, training: Training): number {
  const { snapshotMs, snapshotShare, maxWindowMs } = turn.options;
  const slowest = Math.max(...training.placement.map(({ copyMs }) => copyMs));
  return Math.max(snapshotMs / 2, Math.min(slowest / snapshotShare, maxWindowMs));
}

/** Steps of a window, by the observed rate, or else the predicted one. */
function windowSteps(turn: Turn, training: Training): number {
  const { snapshotMs, minWindowSteps, maxWindowSteps } = turn.options;
  const usual = snapshotMs / 2;
  const steps = Math.min(Math.max(usual / stepMs(training), minWindowSteps), maxWindowSteps);
  return Math.round((steps * windowMs(turn, training)) / usual);
}

function stepMs(training: Training): number {
  return training.rate > 0 ? 1000 / training.rate : Math.max(training.stepMs, 1e-3);
}

function grant(turn: Turn, training: Training): void {
  const ahead = () => training.pending.filter((step) => step > training.base).length;
  const before = training.until;
  while (!training.cancelling && training.until < training.spec.steps && ahead() < 2) {
    training.until = Math.min(training.spec.steps, training.until + windowSteps(turn, training));
    training.pending.push(training.until);
  }
  if (training.until > before) advance(turn, training);
  if (expecting(training) && !hasTimer(turn, 'watchdog', training.spec.id)) startWatchdog(turn, training);
}

function advance(turn: Turn, training: Training): void {
  const snapshots = training.pending.filter((step) => step > training.from);
  for (const { runner } of training.placement) {
    turn.commands.push({
      type: 'advance',
      runner,
      training: training.spec.id,
      epoch: epoch(training),
      until: training.until,
      snapshots,
    });
  }
}

/** Whether granted steps or snapshots are outstanding. */
function expecting(training: Training): boolean {
  return training.committed < training.until || training.pending.length > 0;
}

/** Starts the watchdog with half of the deadline: two halves in a row without any movement are too long. */
function startWatchdog(turn: Turn, training: Training): void {
  const { stallDeadlineMs, stallSteps } = turn.options;
  const first = training.committed === training.from ? 2 : 1;
  training.movedSinceCheck = false;
  startTimer(
    turn,
    'watchdog',
    training.spec.id,
    (first * Math.max(stallDeadlineMs, stallSteps * stepMs(training))) / 2,
  );
}

/** Nothing moved for too long and nobody was accused: evicts the member furthest behind, or else silent longest. */
export function onWatchdog(turn: Turn, training: Training): void {
  if (!expecting(training)) return;
  training.idleChecks = training.movedSinceCheck ? 0 : training.idleChecks + 1;
  if (training.idleChecks < 2 || training.accusations.length > 0) {
    startWatchdog(turn, training);
    return;
  }
  const stepping = training.committed < training.until;
  const at = (member: MemberState) => (stepping ? member.step : member.taken);
  const last = [...training.placement].sort((a, b) => at(a) - at(b) || a.lastReport - b.lastReport)[0];
  evict(turn, training, [last.runner], `nothing moved; runner ${last.runner} was at step ${last.step}`);
}

/** A member has applied steps; those that all members have applied are committed. */
export function onProgressed(
  turn: Turn,
  training: Training,
  member: MemberState,
  report: { step: number; loss: number; psnr: number; stepsPerSecond: number },
): void {
  if (training.phase !== 'training' || report.step > training.until) return;
  if (report.stepsPerSecond > 0) training.rate = report.stepsPerSecond;
  member.step = Math.max(member.step, report.step);
  const committed = training.placement.reduce((least, { step }) => Math.min(least, step), training.until);
  if (committed <= training.committed) return;
  training.committed = committed;
  training.movedSinceCheck = true;
  training.idleChecks = 0;
  if (committed > training.highWater) {
    training.highWater = committed;
    training.deaths = [];
    training.failures = [];
    training.evictions = 0;
  }
  const { loss, psnr, stepsPerSecond } = report;
  turn.commands.push({
    type: 'progress',
    training: training.spec.id,
    epoch: epoch(training),
    step: committed,
    loss,
    psnr,
    stepsPerSecond,
  });
}

/**
 * A member and its buddy hold a snapshot; once that is true of all members, it is safe. The restored snapshot may be
 * reported while other members still restore it.
 */
export function onSnapshotTaken(
  turn: Turn,
  training: Training,
  member: MemberState,
  { step, milliseconds, computeMs }: { step: number; milliseconds: number; computeMs: number },
): void {
  if (!training.pending.includes(step) || member.taken >= step) return;
  member.copyMs = milliseconds;
  member.computeMs = computeMs;
  member.taken = step;
  training.movedSinceCheck = true;
  training.idleChecks = 0;
  addHolding(training, member.runner, step, member.shards);
  if (member.buddy !== null) addHolding(training, member.buddy, step, member.shards);
  const safe = training.phase === 'training' ? newestSafe(training) : undefined;
  if (safe !== undefined) onSafe(turn, training, safe);
}

/** Newest of the pending snapshots that every member and its buddy hold. */
function newestSafe(training: Training): number | undefined {
  const all = training.placement.reduce(
    (least, { taken }) => Math.min(least, taken),
    Number.POSITIVE_INFINITY,
  );
  return training.pending.filter((step) => step <= all).at(-1);
}

function onSafe(turn: Turn, training: Training, step: number): void {
  const at = epoch(training);
  if (step > training.from) observeWindow(turn, training, step - training.base);
  training.base = step;
  training.pending = training.pending.filter((pending) => pending > step);
  if (step > training.from) training.windowsSinceStore++;
  settle(turn, training);
  discardBelow(turn, training, at, Math.min(step, training.store?.step ?? step));
  consider(turn, training, true);
  const same = turn.state.trainings[training.spec.id] === training && epoch(training) === at;
  if (same && training.phase === 'training') grant(turn, training);
}

/**
 * Decides what to do beside training: store, finish, cancel, move. `fresh`: the newest safe snapshot has only just become
 * safe, so going back to it costs little.
 */
export function consider(turn: Turn, training: Training, fresh: boolean): void {
  if (training.phase !== 'training') return;
  const { base, spec } = training;
  const durable = durableStep(training);
  const idle = training.store === null && training.commit === null && !training.storeBackingOff;
  if (training.cancelling) {
    if (training.store !== null || training.commit !== null) return;
    if (base > durable && idle) startStore(turn, training);
    else end(turn, training, { type: 'cancelled', training: spec.id, step: durable });
    return;
  }
  if (base === spec.steps) {
    cancelTimer(turn, 'watchdog', spec.id);
    if (idle) startStore(turn, training);
    return;
  }
  if (usesDraining(turn, training)) {
    moveOffDraining(turn, training, fresh, idle);
    return;
  }
  const due =
    training.windowsSinceStore >= Math.max(1, Math.round(turn.options.storeMs / windowMs(turn, training)));
  if (idle && due && base > durable) startStore(turn, training);
  if (fresh && (training.evaluatedTopology !== turn.state.topology || mayRebalanceForSpeed(turn, training)))
    rebalance(turn, training);
}

/** Whether this placement uses a draining runner. */
function usesDraining(turn: Turn, training: Training): boolean {
  const draining = (runner: string | null) =>
    runner !== null && turn.state.runners[runner]?.info.draining === true;
  return training.placement.some(({ runner, buddy }) => draining(runner) || draining(buddy));
}

/** Moves the shards off draining runners; if no others can take them, stores the state and waits for a runner. */
function moveOffDraining(turn: Turn, training: Training, fresh: boolean, idle: boolean): void {
  const plan = planMove(turn, training);
  if (plan !== null) {
    if (fresh) startPlacement(turn, training, plan, 'a runner leaves');
  } else if (training.base > durableStep(training)) {
    if (idle) startStore(turn, training);
  } else {
    interrupt(turn, training, 'the last runner leaves');
  }
}

/** Moves to a better placement if that saves enough time. */
function rebalance(turn: Turn, training: Training): void {
  if (training.store !== null) return;
  const changed = training.evaluatedTopology !== turn.state.topology;
  if (changed) training.speedMoves = 0;
  training.evaluatedTopology = turn.state.topology;
  training.evaluatedSpeeds = turn.state.speeds;
  const plan = planMove(turn, training);
  if (plan === null) return;
  const now = presentStepMs(turn, training);
  const left = training.spec.steps - training.committed;
  // The ratio of the two does not depend on the cost model's error; the time does, and is corrected by what was observed.
  const saved = (left * (now - plan.placement.stepMs)) / (training.scale ?? 1);
  const { rebalanceGain, rebalanceSavedMs } = turn.options;
  if (now / plan.placement.stepMs < rebalanceGain || saved < rebalanceSavedMs) return;
  const { speedMoves } = training;
  startPlacement(
    turn,
    training,
    plan,
    changed ? 'runners changed' : 'runners are not as fast as they measured',
  );
  if (!changed) training.speedMoves = speedMoves + 1;
}

/** Cancels the training: the newest safe snapshot is stored first if that is possible at once. */
export function cancel(turn: Turn, training: Training): void {
  if (training.cancelling) return;
  if (training.phase !== 'training') {
    end(turn, training, { type: 'cancelled', training: training.spec.id, step: durableStep(training) });
    return;
  }
  training.cancelling = true;
  cancelTimer(turn, 'watchdog', training.spec.id);
  training.pending = [];
  training.until = training.base;
  advance(turn, training);
  consider(turn, training, false);
}
