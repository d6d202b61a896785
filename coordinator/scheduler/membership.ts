import { assert, ImplicamError } from '../../model/errors.js';
import { addHolding } from './placement/holdings.js';
import { loseRunner, release } from './recovery.js';
import { durableStep, memberOf, type SessionState, type Turn } from './state.js';
import type { HeldSnapshot, RunnerId, RunnerInfo } from './types.js';

/** Runners come, change and go. */

/** Snapshots of unknown sessions that a runner may bring along. */
const BROUGHT = 256;

export function join(turn: Turn, info: RunnerInfo, snapshots: readonly HeldSnapshot[]): void {
  const valid =
    info.id !== '' && Number.isFinite(info.stepRate) && info.stepRate > 0 && info.memoryBytes >= 0;
  if (!valid) {
    throw new ImplicamError(
      'bad-runner',
      `runner ${info.id}: a runner must register with an id, its memory and a positive step rate`,
    );
  }
  // Connected again before its old connection was given up: commands may have been lost on the way.
  loseRunner(turn, info.id, 'silent');
  turn.state.runners[info.id] = {
    info,
    refusedBytes: null,
    observed: null,
    doubts: 0,
    brought: [],
    released: false,
  };
  for (const session of Object.values(turn.state.sessions)) {
    // The process lives: it was not the session that killed it.
    session.deaths = session.deaths.filter((runner) => runner !== info.id);
  }
  const newest = [...snapshots].sort((a, b) => b.step - a.step).slice(0, BROUGHT);
  turn.state.runners[info.id]!.brought = newest.filter((snapshot) => {
    const session = turn.state.sessions[snapshot.session];
    if (session !== undefined) bring(turn, session, info.id, snapshot);
    return session === undefined;
  });
  turn.state.topology++;
  turn.state.dirty = true;
}

/** Takes a snapshot into account that a runner brought along; a session that trains on well needs none. */
export function bring(
  turn: Turn,
  session: SessionState,
  runner: RunnerId,
  { step: at, shards }: HeldSnapshot,
): void {
  if (session.phase === 'training' && session.settled && !session.participants.includes(runner)) {
    release(turn, session, runner);
    return;
  }
  const { first, count } = shards;
  const fits = first >= 0 && count > 0 && first + count <= session.spec.shards.length;
  if (fits && at >= durableStep(session) && at <= session.spec.steps) {
    addHolding(session, runner, at, shards);
  }
  if (!session.participants.includes(runner)) session.participants.push(runner);
}

export function update(
  turn: Turn,
  id: RunnerId,
  stepRate: number | undefined,
  draining: boolean | undefined,
): void {
  const runner = turn.state.runners[id];
  if (runner === undefined) return;
  const rate = stepRate !== undefined && stepRate > 0 ? stepRate : runner.info.stepRate;
  const changed = Math.abs(rate / runner.info.stepRate - 1) > 0.1;
  const leaving = draining === true && !runner.info.draining;
  runner.info = {
    ...runner.info,
    stepRate: changed ? rate : runner.info.stepRate,
    draining: draining ?? runner.info.draining,
  };
  // What was observed is of the past.
  if (changed) runner.observed = null;
  if (changed || leaving) {
    turn.state.topology++;
    turn.state.dirty = true;
  }
}

/** Lets draining runners exit that no session needs any more. */
export function letGo(turn: Turn): void {
  const { runners } = turn.state;
  for (const id in runners) {
    const runner = runners[id]!;
    if (!runner.info.draining || runner.released) continue;
    const sessions = Object.values(turn.state.sessions);
    if (sessions.some(({ participants }) => participants.includes(id))) continue;
    assert(!sessions.some((session) => memberOf(session, id)), `runner ${id} is let go while it hosts`);
    runner.released = true;
    turn.commands.push({ type: 'released', runner: id });
  }
}
