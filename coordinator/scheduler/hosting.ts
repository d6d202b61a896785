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
  type SessionState,
  type Turn,
} from './state.js';
import { cancelTimer, startTimer } from './timers.js';
import type { Member, RunnerId, RunnerInfo } from './types.js';

/** A new placement: everybody is told its part, restores it, and says so. */

/** Begins a placement: a new epoch, `host` to its members, `park` to whoever else has something of the session. */
export function begin(turn: Turn, session: SessionState, plan: Plan, why: string): void {
  if (session.phase !== 'waiting') interrupt(turn, session, why);
  nextRound(session);
  session.phase = 'hosting';
  session.engine = plan.engine;
  session.from = plan.step;
  session.stepMs = plan.placement.stepMs;
  session.rate = 0;
  session.committed = plan.step;
  session.base = plan.step;
  session.until = plan.step;
  session.settled = false;
  session.pending = copies(session) ? [plan.step] : [];
  session.unparked = false;
  session.evaluated = turn.state.topology;
  session.heeded = turn.state.speeds;
  session.evidence = 0;
  session.moves = 0;
  session.calm = 0;
  session.shown = '';
  session.placement = membersOf(turn, session, plan);
  cancelTimer(turn, 'pardon', session.spec.id);
  startTimer(turn, 'host', session.spec.id, turn.options.hostDeadlineMs + movingMs(turn, session));
  order(turn, session);
  turn.commands.push({
    type: 'placed',
    session: session.spec.id,
    epoch: epoch(session),
    engine: plan.engine,
    step: plan.step,
    placement: session.placement.map(asMember),
    why,
  });
}

function membersOf(turn: Turn, session: SessionState, plan: Plan): MemberState[] {
  const shares = plan.placement.shares;
  const alone = shares.length === 1 ? outsider(turn, session, plan.engine, shares[0]!.runner) : null;
  return shares.map(({ runner, shards }, i) => ({
    runner,
    address: turn.state.runners[runner]!.info.address,
    shards,
    buddy: shares.length === 1 ? alone : shares[(i + 1) % shares.length]!.runner,
    hosted: false,
    step: plan.step,
    taken: -1,
    copyMs: 0,
    computeMs: 0,
    lean: 1,
    heard: 0,
  }));
}

/** Who keeps the copies of a runner that trains alone: of those who may, the one with the most memory. */
function outsider(turn: Turn, session: SessionState, engine: string, member: RunnerId): RunnerId | null {
  const able = Object.values(turn.state.runners)
    .map(({ info }) => info)
    .filter((info) => info.id !== member && info.engine === engine && !info.draining)
    .filter((info) => !session.exclusions[info.id]?.active)
    .sort((a, b) => b.memoryBytes - a.memoryBytes || (a.id < b.id ? -1 : 1));
  return able[0]?.id ?? null;
}

function asMember({ runner, address, shards, buddy }: MemberState): Member {
  return { runner, address, shards, buddy };
}

function order(turn: Turn, session: SessionState): void {
  const placement = session.placement.map(asMember);
  const at = { session: session.spec.id, epoch: epoch(session) };
  const members = new Set(placement.map(({ runner }) => runner));
  const others = [...new Set([...session.participants, ...outsideBuddies(session)])].filter(
    (runner) => !members.has(runner),
  );
  const devices = areLinked(placement.map(({ runner }) => turn.state.runners[runner]!.info));
  const sources = new Set<RunnerId>();
  for (const { runner, shards, buddy } of placement) {
    const from = sourcesOf(turn, session, session.engine!, session.from, runner, shards);
    for (const { holder } of from) if (holder !== null && holder !== runner) sources.add(holder);
    turn.commands.push({
      type: 'host',
      runner,
      ...at,
      shards,
      placement,
      buddy,
      buddyAddress: buddy === null ? null : turn.state.runners[buddy]!.info.address,
      step: session.from,
      sources: from,
      copy: copies(session),
      devices,
    });
  }
  for (const runner of others) turn.commands.push({ type: 'park', runner, ...at });
  session.sources = [...sources];
  session.participants = [...members, ...others];
  // `host` drops what lies above the step.
  session.holdings = session.holdings.filter(
    (held) => !members.has(held.runner) || held.step <= session.from,
  );
}

/** Whether gradients can go between all these devices directly: one machine, a device each, one version of what carries them. */
function areLinked(members: readonly RunnerInfo[]): boolean {
  const [first] = members.map(({ link }) => link);
  const devices = new Set(members.map(({ link }) => link?.device));
  return (
    members.length > 1 &&
    devices.size === members.length &&
    members.every(({ link }) => link && link.node === first?.node && link.version === first.version)
  );
}

/** Whether the restored snapshot is to be copied to the buddies: not if the object store has it. */
function copies(session: SessionState): boolean {
  return session.from > durableStep(session);
}

/** A member is ready. True if now all are: training may begin. */
export function onHosted(turn: Turn, session: SessionState, member: MemberState): boolean {
  if (session.phase !== 'hosting' || member.hosted) return false;
  member.hosted = true;
  addHolding(session, member.runner, session.from, member.shards);
  if (!session.placement.every(({ hosted }) => hosted)) return false;
  cancelTimer(turn, 'host', session.spec.id);
  session.phase = 'training';
  session.sources = [];
  return true;
}

/** Hosting took too long: whoever is not ready is left out. */
export function onHostDeadline(turn: Turn, session: SessionState): void {
  const late = session.placement.filter(({ hosted }) => !hosted).map(({ runner }) => runner);
  evict(turn, session, late, `${late.join(', ')} did not restore the session in time`);
}

/** The placement's first snapshot is safe: whoever is not part of it any more may drop the session. */
export function settle(turn: Turn, session: SessionState): void {
  if (session.settled) return;
  session.settled = true;
  const needed = new Set([...session.placement.map(({ runner }) => runner), ...outsideBuddies(session)]);
  for (const runner of session.participants.filter((one) => !needed.has(one))) release(turn, session, runner);
}
