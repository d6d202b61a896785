import type { Piece, TrainingSpec } from '../../coordinator/scheduler/types.js';
import type { Step } from './checks.js';
import { Dice } from './clock.js';
import { keyOf, Violation } from './durable.js';
import type { SimRunner } from './runner.js';
import { type Machine, World } from './world.js';

/** Faults happen in the first part of a schedule; what comes after must end well. */
const FAULTS_MS = 15_000;

/** Share of schedules with long trainings, on runners that know little of their speed. */
const LONG = 0.02;

/** By then what the last fault did has passed, and who was frozen has found out. */
const CALM_MS = 30_000;

/** Simulated time within which every training must have ended. */
const DEADLINE_MS = 60 * 60_000;

const MAX_EVENTS = 1_000_000;

/** Silence of a coordinator after which another takes its trainings over. */
const LEASE_MS = 4_000;

export interface Outcome {
  readonly seed: number;
  /** What went wrong; null if nothing did. */
  readonly violation: string | null;
  readonly simulatedMs: number;
  readonly finished: number;
  readonly log: readonly string[];
}

/** Lets one schedule happen: everything in it follows from the seed. */
export function runSchedule(seed: number, step?: Step, verbose = false): Outcome {
  const dice = new Dice(seed);
  const long = dice.chance(LONG);
  const world = new World(dice, machines(dice, long), step, verbose, CALM_MS);
  let violation: string | null = null;
  try {
    begin(world, long);
    run(world);
    check(world);
  } catch (error) {
    violation = error instanceof Violation ? error.message : String((error as Error).stack);
  }
  const rows = [...world.durable.rows.values()];
  return {
    seed,
    violation,
    simulatedMs: world.network.clock.now,
    finished: rows.filter(({ state }) => state === 'finished').length,
    log: world.log,
  };
}

function machines(dice: Dice, long: boolean): Machine[] {
  const count = dice.pick(long ? [2, 3, 4] : [1, 2, 2, 3, 3, 4]);
  const other = dice.chance(0.15);
  const honest = !long && dice.chance(0.8);
  return Array.from({ length: count }, (_, i) => {
    const claimedBytes = dice.pick([600, 1000, 4000]);
    const stepRate = dice.pick([60, 100, 100, 200]);
    return {
      name: `m${i}`,
      engine: other && i === 0 && count > 1 ? 'tfjs' : 'native',
      stepRate,
      claimedRate: stepRate * (honest ? 1 : dice.pick([0.25, 0.5, 1, 2, 4])),
      claimedBytes,
      memoryBytes: dice.chance(0.1) && count > 2 ? 500 : claimedBytes,
    };
  });
}

function begin(world: World, long: boolean): void {
  const { dice, durable, network } = world;
  const trainings = dice.pick([1, 1, 1, 2, 3]);
  for (let i = 0; i < trainings; i++) {
    durable.add(training(dice, `s${i}`, world.machines, long), long ? dice.pick([0.5, 1, 2]) : 1);
  }
  world.startCoordinator();
  for (const machine of world.machines) {
    network.clock.at(dice.between(0, 1500), () => world.startRunner(machine));
  }
  const faults = dice.pick([0, 1, 2, 2, 3, 4, 6]);
  for (let i = 0; i < faults; i++) network.clock.at(dice.between(0, FAULTS_MS), fault(world));
}

const SHARED_BYTES = 20;
const SMALL_BYTES = 20;

/** Whether machines of one engine hold so many shards of that size between them. */
function fits(machines: readonly Machine[], count: number, bytes: number): boolean {
  return [...new Set(machines.map(({ engine }) => engine))].every((engine) => {
    const same = machines.filter((machine) => machine.engine === engine);
    const room = (machine: Machine) => Math.floor((machine.memoryBytes - SHARED_BYTES) / bytes);
    return same.reduce((sum, machine) => sum + room(machine), 0) >= count;
  });
}

function training(dice: Dice, id: string, machines: readonly Machine[], long: boolean): TrainingSpec {
  const count = dice.pick(long ? [4, 7, 12] : [1, 2, 4, 4, 7]);
  const stepMs = dice.pick([100, 200, 400]);
  // Large shards may need all machines together.
  const large = dice.chance(0.5) && fits(machines, count, 120);
  const shard = { memoryBytes: large ? 120 : SMALL_BYTES, cost: (stepMs / 1000) * (100 / count) };
  return {
    id,
    shards: Array.from({ length: count }, () => shard),
    sharedMemoryBytes: SHARED_BYTES,
    hopMs: dice.pick(long ? [0.5, 5] : [0.5, 5, 40]),
    steps: long ? dice.whole(400, 800) : dice.whole(8, 40),
    lease: 1,
    stored: [{ step: 0, pieces: initialPieces(id, count) }],
    engine: null,
  };
}

function initialPieces(id: string, count: number): Piece[] {
  const piece = (shard: number) => ({ shard, key: keyOf(id, 0, shard), bytes: 1, sha256: 'right' });
  return Array.from({ length: count }, (_, shard) => piece(shard));
}

/** A fault of some kind. All of them end by themselves within a few seconds. */
function fault(world: World): () => void {
  const { dice, network } = world;
  const ms = dice.pick([dice.between(100, 2_000), dice.between(3_000, 9_000)]);
  const machine = dice.pick(world.machines);
  const other = dice.pick(world.machines);
  const runner = () => world.runnerOn(machine);
  const faults: [number, () => void][] = [
    [6, () => runner() && world.kill(runner()!, ms)],
    [3, () => runner() && network.freeze(runner()!, ms)],
    [3, () => network.cut(machine.name, other.name, ms)],
    [2, () => world.coordinator && network.cut(machine.name, world.coordinator.name, ms)],
    [2, () => disconnect(world, machine)],
    [2, () => slow(world, machine, ms)],
    [1, () => failNext(runner())],
    [2, () => runner()?.hang()],
    [2, () => runner()?.drain()],
    [3, () => replaceCoordinator(world, ms)],
    [1, () => freezeCoordinator(world, ms)],
    [2, () => outage(world, ms)],
    [1, () => loseLease(world)],
    [3, () => damage(world, ms)],
    [1, () => cancel(world)],
    [1, () => world.machines.forEach((one) => void disconnect(world, one))],
  ];
  let roll = dice.unit() * faults.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, happen] of faults) {
    roll -= weight;
    if (roll < 0) return happen;
  }
  return () => {};
}

function failNext(runner: SimRunner | undefined): void {
  if (runner !== undefined) runner.failNext = true;
}

function disconnect(world: World, machine: Machine): void {
  world.deaths++;
  world.runnerOn(machine)?.disconnect();
}

function slow(world: World, machine: Machine, ms: number): void {
  const runner = world.runnerOn(machine);
  if (runner === undefined) return;
  runner.slowness = world.dice.pick([3, 30]);
  world.network.clock.at(world.network.clock.now + ms, () => {
    runner.slowness = 1;
  });
}

function outage(world: World, ms: number): void {
  world.durable.outageUntil = world.network.clock.now + ms;
}

function replaceCoordinator(world: World, ms: number): void {
  const { coordinator, network } = world;
  if (coordinator === null) return;
  world.coordinator = null;
  network.kill(coordinator);
  network.clock.at(network.clock.now + ms, () => world.startCoordinator());
}

/** A coordinator that is frozen for long finds its trainings taken over, and goes on for a while without knowing. */
function freezeCoordinator(world: World, ms: number): void {
  const { coordinator, network } = world;
  if (coordinator === null) return;
  network.freeze(coordinator, ms);
  if (ms < LEASE_MS) return;
  network.clock.at(network.clock.now + LEASE_MS, () => {
    if (world.coordinator === coordinator) world.startCoordinator();
  });
  network.clock.at(network.clock.now + ms + 3_000, () => network.kill(coordinator));
}

/** Stored pieces are damaged; mostly it matters, because all that is in memory is lost at the same time. */
function damage(world: World, ms: number): void {
  const { dice, durable } = world;
  const id = dice.pick([...durable.rows.keys()]);
  const { snapshots } = durable.rows.get(id)!.manifest;
  const struck = dice.chance(0.7) ? snapshots.slice(0, 1) : snapshots;
  for (const { pieces } of struck) {
    if (pieces.length > 0) durable.damage(id, dice.pick(pieces).key, dice.chance(0.3));
  }
  if (!dice.chance(0.8)) return;
  for (const machine of world.machines) {
    const runner = world.runnerOn(machine);
    if (runner !== undefined) world.kill(runner, ms);
  }
}

/** Somebody takes a training's lease and does nothing with it; then it is claimed again. */
function loseLease(world: World): void {
  const { coordinator, durable, network, dice } = world;
  const id = dice.pick([...durable.rows.keys()]);
  durable.rows.get(id)!.lease++;
  if (coordinator === null) return;
  network.after(1_000, coordinator, () => {
    coordinator.dispatch({ type: 'leaseLost', training: id, lease: durable.rows.get(id)!.lease });
    coordinator.claim(id);
  });
}

function cancel(world: World): void {
  const id = world.dice.pick([...world.durable.rows.keys()]);
  world.coordinator?.cancel(id);
}

function run(world: World): void {
  const { clock } = world.network;
  const over = () => [...world.durable.rows.values()].every(({ state }) => state !== 'active');
  clock.at(FAULTS_MS + 1, () => {});
  let drainedBy = Number.POSITIVE_INFINITY;
  for (let events = 0; ; events++) {
    if (over() && clock.now > FAULTS_MS) {
      const drains = [...world.runners.values()].some(({ draining }) => draining);
      if (!drains) return;
      drainedBy = Math.min(drainedBy, clock.now + 60_000);
      if (clock.now > drainedBy) throw new Violation('a draining runner was never released');
    }
    if (clock.now > DEADLINE_MS || events > MAX_EVENTS || !clock.tick()) {
      const rows = [...world.durable.rows.values()].filter(({ state }) => state === 'active');
      throw new Violation(`${rows.map(({ spec }) => spec.id).join(', ')} never ended (${events} events)`);
    }
  }
}

function check(world: World): void {
  for (const { spec, state, why, manifest } of world.durable.rows.values()) {
    const last = manifest.snapshots[0];
    if (state === 'finished' && last?.step !== spec.steps) throw new Violation(`${spec.id}: not all steps`);
    if (state === 'finished' && last.pieces.some(({ sha256 }) => sha256 !== 'right')) {
      throw new Violation(`${spec.id}: not the bits of a run without faults`);
    }
    const deadly = why.startsWith('deadly') && world.deaths >= 3;
    if (state === 'failed' && !deadly) throw new Violation(`${spec.id} failed: ${why}`);
  }
}
