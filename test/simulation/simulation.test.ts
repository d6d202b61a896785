import { describe, expect, test } from 'vitest';
import { step } from '../../coordinator/scheduler/scheduler.js';
import { epoch, type State } from '../../coordinator/scheduler/state.js';
import type { Command, Event } from '../../coordinator/scheduler/types.js';
import { unless } from '../../engine/engines.fixture.js';
import type { Step } from './checks.js';
import { type Outcome, runSchedule } from './schedule.js';

/**
 * The scheduler under simulated time, network, crashes and restarts: every seed is another schedule. A seed that fails is
 * replayed, with every event and command written out, by `SEED=… npx vitest run test/simulation`; SCHEDULES sets how many.
 */
const SCHEDULES = Number(process.env.SCHEDULES ?? 10_000);
const SEED = process.env.SEED === undefined ? null : Number(process.env.SEED);

function describeFailure({ seed, violation }: Outcome): string {
  return `SEED=${seed} npx vitest run test/simulation\n${violation}`;
}

const replaying = unless(SEED === null ? 'replays the schedule that SEED names' : undefined, test);
const searching = unless(SEED === null ? undefined : 'SEED replays one schedule', describe);

replaying('the schedule of SEED', () => {
  const outcome = runSchedule(SEED!, undefined, true);
  console.log(outcome.log.join('\n'));
  expect(outcome.violation, describeFailure(outcome)).toBeNull();
});

searching('schedules', () => {
  test(`${SCHEDULES} schedules keep every promise`, { timeout: 600_000 }, () => {
    let finished = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const outcome = runSchedule(seed);
      if (outcome.violation !== null) expect.fail(describeFailure(outcome));
      finished += outcome.finished;
    }
    // Cancelled trainings, and those that three dying runners took along, are few.
    expect(finished).toBeGreaterThan(SCHEDULES);
  });

  test('a schedule replays exactly', () => {
    for (let seed = 1; seed <= 20; seed++) {
      expect(runSchedule(seed, undefined, true)).toEqual(runSchedule(seed, undefined, true));
    }
  });

  test('the state is plain data: written down and read back it goes on in the same way', () => {
    const withCopy: Step = (state, event) => {
      const copy = JSON.parse(JSON.stringify(state)) as State;
      const commands = step(state, event);
      expect(step(copy, event)).toEqual(commands);
      expect(copy).toEqual(state);
      return commands;
    };
    for (let seed = 1; seed <= 10; seed++) expect(runSchedule(seed, withCopy).violation).toBeNull();
  });
});

/** Mistakes that a scheduler could make. Each must be found by some seed, or the schedules prove nothing. */
const mistakes: Record<string, Step> = {
  'takes reports of old epochs': (state, event) => {
    if (!('epoch' in event) || !('runner' in event)) return step(state, event);
    const training = state.trainings[event.training];
    return step(state, training === undefined ? event : { ...event, epoch: epoch(training) });
  },
  'counts a step that only some have done': (state, event) => {
    const commands = step(state, event);
    if (event.type !== 'progressed') return commands;
    const others = state.trainings[event.training]?.placement.map(({ runner }) => runner) ?? [];
    return [...commands, ...others.flatMap((runner) => step(state, { ...event, runner }))];
  },
  'names no buddies': (state, event) =>
    step(state, event).map((command) => (command.type === 'host' ? { ...command, buddy: null } : command)),
  'drops snapshots that are still needed': (state, event) =>
    step(state, event).map((command) =>
      command.type === 'discard' ? { ...command, below: command.below + 1 } : command,
    ),
  'does not say what stored pieces must be': (state, event) =>
    step(state, event).map((command) =>
      command.type === 'host'
        ? { ...command, sources: command.sources.map((source) => ({ ...source, pieces: [] })) }
        : command,
    ),
  'ignores that a snapshot is damaged': (state, event) =>
    event.type === 'damaged' ? [] : step(state, event),
  'forgets the snapshot before the newest': (state, event) =>
    step(state, event).map((command) =>
      command.type === 'commit' ? { ...command, snapshots: command.snapshots.slice(0, 1) } : command,
    ),
  'gives a shard to two runners': (state, event) => {
    const commands = step(state, event);
    return commands.map((command) =>
      command.type === 'host' && command.shards.first > 0
        ? { ...command, shards: { first: command.shards.first - 1, count: command.shards.count + 1 } }
        : command,
    );
  },
  'grants without end': (state, event) =>
    step(state, event).map((command) =>
      command.type === 'advance' ? { ...command, until: command.until + 20 } : command,
    ),
  'ignores how fast runners are': (state, event) =>
    step(state, event.type === 'snapshotTaken' ? { ...event, computeMs: 0 } : event),
  'learns more than was shown': (state, event) =>
    step(state, event.type === 'snapshotTaken' ? { ...event, computeMs: event.computeMs ** 2 } : event),
  'has no watchdog for progress': without('watchdog'),
  'has no deadline for hosting': without('host'),
  'does not judge accusations': without('blame'),
  'never tries again': without('retry'),
  'never stores again': without('storeBackoff'),
};

/** A scheduler whose timers of one kind never fire. */
function without(kind: string): Step {
  return (state: State, event: Event): Command[] =>
    step(state, event).filter((command) => command.type !== 'timer' || !command.id.startsWith(`${kind}-`));
}

searching('mistakes are found', () => {
  for (const [name, mistaken] of Object.entries(mistakes)) {
    test(name, () => {
      let seed = 1;
      while (seed <= 1_000 && runSchedule(seed, mistaken).violation === null) seed++;
      expect(seed, `no schedule of 1000 found a scheduler that ${name}`).toBeLessThanOrEqual(1_000);
      const again = [runSchedule(seed, mistaken, true), runSchedule(seed, mistaken, true)];
      expect(again[0].violation).not.toBeNull();
      expect(again[0]).toEqual(again[1]);
      expect(runSchedule(seed).violation).toBeNull();
      if (process.env.VERBOSE) console.log(`${name}: seed ${seed}: ${again[0].violation!.split('\n')[0]}`);
    });
  }
});
