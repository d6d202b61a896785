import { addHolding, sourcesOf } from './placement/holdings.js';
import type { Plan } from './placement/planning.js';
import { evict, interrupt, release } from './recovery.js';
import {
  durableStep,
  epoch,
  type MemberState,
  movingMs,
  nextRound,
  outsideBuddies,
  type Training,
  type Turn,
} from './state.js';
import { cancelTimer, startTimer } from './timers.js';
import type { Member, RunnerId, RunnerInfo } from './types.js';

/** Hosting a new placement: every member is sent its shards, restores them, and reports `hosted`. */

/** Starts a placement: a new epoch, `host` to its members, `park` to all others that hold something of the training. */
export function startPlacement(turn: Turn, training: Training, plan: Plan, why: string): void {
  if (training.phase !== 'waiting') interrupt(turn, training, why);
  nextRound(training);
  training.phase = 'hosting';
  training.engine = plan.engine;
  training.from = plan.step;
  training.stepMs = plan.placement.stepMs;
  training.rate = 0;
  training.committed = plan.step;
  training.base = plan.step;
  training.until = plan.step;
  training.settled = false;
  training.pending = copies(training) ? [plan.step] : [];
  training.parkPending = false;
  training.evaluatedTopology = turn.state.topology;
  training.evaluatedSpeeds = turn.state.speeds;
  training.evidence = 0;
  training.speedMoves = 0;
  training.windowsSinceMove = 0;
  training.lastWaiting = '';
  training.placement = membersOf(turn, training, plan);
  cancelTimer(turn, 'readmit', training.spec.id);
  startTimer(turn, 'host', training.spec.id, turn.options.hostDeadlineMs + movingMs(turn, training));
  sendHostCommands(turn, training);
  turn.commands.push({
    type: 'placed',
    training: training.spec.id,
    epoch: epoch(training),
    engine: plan.engine,
    step: plan.step,
    placement: training.placement.map(asMember),
    why,
  });
}

function membersOf(turn: Turn, training: Training, plan: Plan): MemberState[] {
  const shares = plan.placement.shares;
  const alone = shares.length === 1 ? outsideBuddy(turn, training, plan.engine, shares[0].runner) : null;
  return shares.map(({ runner, shards }, i) => ({
    runner,
    address: turn.state.runners[runner].info.address,
    shards,
    buddy: shares.length === 1 ? alone : shares[(i + 1) % shares.length].runner,
    hosted: false,
    step: plan.step,
    taken: -1,
    copyMs: 0,
    computeMs: 0,
    speedRatio: 1,
    lastReport: 0,
  }));
}

/** The buddy of a runner that trains alone: of those eligible, the one with the most memory. */
function outsideBuddy(turn: Turn, training: Training, engine: string, member: RunnerId): RunnerId | null {
  const able = Object.values(turn.state.runners)
    .map(({ info }) => info)
    .filter((info) => info.id !== member && info.engine === engine && !info.draining)
    .filter((info) => !training.exclusions[info.id]?.active)
    .sort((a, b) => b.memoryBytes - a.memoryBytes || (a.id < b.id ? -1 : 1));
  return able[0]?.id ?? null;
}

function asMember({ runner, address, shards, buddy }: MemberState): Member {
  return { runner, address, shards, buddy };
}

function sendHostCommands(turn: Turn, training: Training): void {
  const placement = training.placement.map(asMember);
  const at = { training: training.spec.id, epoch: epoch(training) };
  const members = new Set(placement.map(({ runner }) => runner));
  const others = [...new Set([...training.participants, ...outsideBuddies(training)])].filter(
    (runner) => !members.has(runner),
  );
  const devices = areLinked(placement.map(({ runner }) => turn.state.runners[runner].info));
  const sources = new Set<RunnerId>();
  for (const { runner, shards, buddy } of placement) {
    const from = sourcesOf(turn, training, training.engine!, training.from, runner, shards);
    for (const { holder } of from) if (holder !== null && holder !== runner) sources.add(holder);
    turn.commands.push({
      type: 'host',
      runner,
      ...at,
      shards,
      placement,
      buddy,
      buddyAddress: buddy === null ? null : turn.state.runners[buddy].info.address,
      step: training.from,
      sources: from,
      copy: copies(training),
      devices,
    });
  }
  for (const runner of others) turn.commands.push({ type: 'park', runner, ...at });
  training.sources = [...sources];
  training.participants = [...members, ...others];
  // `host` drops what lies above the step.
  training.holdings = training.holdings.filter(
    (held) => !members.has(held.runner) || held.step <= training.from,
  );
}

/** Whether gradients can go between these devices directly: on one machine, each its own device, one NCCL version. */
function areLinked(members: readonly RunnerInfo[]): boolean {
  const [first] = members.map(({ link }) => link);
  const devices = new Set(members.map(({ link }) => link?.device));
  return (
    members.length > 1 &&
    devices.size === members.length &&
    members.every(({ link }) => link && link.node === first?.node && link.version === first.version)
  );
}

/** Whether the restored snapshot must be copied to the buddies: not if the object store has it. */
function copies(training: Training): boolean {
  return training.from > durableStep(training);
}

/** A member is ready. Returns true if all are now: training may begin. */
export function onHosted(turn: Turn, training: Training, member: MemberState): boolean {
  if (training.phase !== 'hosting' || member.hosted) return false;
  member.hosted = true;
  addHolding(training, member.runner, training.from, member.shards);
  if (!training.placement.every(({ hosted }) => hosted)) return false;
  cancelTimer(turn, 'host', training.spec.id);
  training.phase = 'training';
  training.sources = [];
  return true;
}

/** The deadline for hosting has passed: members that are not ready are evicted. */
export function onHostDeadline(turn: Turn, training: Training): void {
  const late = training.placement.filter(({ hosted }) => !hosted).map(({ runner }) => runner);
  evict(turn, training, late, `${late.join(', ')} did not restore the training in time`);
}

/** The placement's first snapshot is safe: runners outside the placement are released. */
export function settle(turn: Turn, training: Training): void {
  if (training.settled) return;
  training.settled = true;
  const needed = new Set([...training.placement.map(({ runner }) => runner), ...outsideBuddies(training)]);
  for (const runner of training.participants.filter((one) => !needed.has(one)))
    release(turn, training, runner);
}
