import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderCapture } from '../../bench/samples/capture.js';
import {
  hashOfStored,
  hashOfTraining,
  makeScenario,
  putScenario,
  type Scenario,
} from '../../bench/trials/cluster/scene.js';
import { type Status, TrainingClient } from '../../bench/trials/cluster/training-client.js';
import { type Coordinator, startCoordinator } from '../../coordinator/coordinator.js';
import { FolderLedger } from '../../coordinator/ledgers/folder.js';
import { describeNative, unless } from '../../engine/engines.fixture.js';
import { createNativeEngine, nativeIsas } from '../../engine/native/native-engine.js';
import { type Runner, startRunner } from '../../runner/runner.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';

/** Coordinator and runners over real sockets: the same bits on any number of runners. */

const VERSION = 'test';
const STEPS = 30;
const capture = renderCapture({ width: 96, height: 64, focus: 3, exposures: 2 });
const scenario = (options: { tilePixels?: number }) => makeScenario({ steps: STEPS, ...options }, capture);
const SCENARIOS: [string, Scenario][] = [
  ['data-parallel', scenario({})],
  ['tiled', scenario({ tilePixels: 1500 })],
];

interface Place {
  readonly folder: string;
  readonly store: ObjectStore;
  readonly coordinator: Coordinator;
  readonly client: TrainingClient;
  readonly runners: Runner[];
}

async function open(spread = true): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'implicam-test-'));
  const store = createFolderStore(folder);
  const coordinator = await startCoordinator({
    listen: '127.0.0.1:0',
    ledger: () => new FolderLedger(store, { spread }),
    version: VERSION,
  });
  return { folder, store, coordinator, client: new TrainingClient(coordinator.address), runners: [] };
}

async function addRunner(place: Place, isa?: string): Promise<Runner> {
  const engine = createNativeEngine({ threads: 1, ...(isa ? { isa } : {}) });
  const runner = await startRunner({
    coordinator: place.coordinator.address,
    engine,
    store: place.folder,
    memoryBytes: 2 ** 30,
    version: VERSION,
    // Such that each runner more makes a step of four equal shards shorter; what is measured would leave that to chance.
    stepRate: place.runners.length === 0 ? 100 : 60,
  });
  place.runners.push(runner);
  return runner;
}

async function close(place: Place): Promise<void> {
  place.client.close();
  await Promise.all(place.runners.map((runner) => runner.stop()));
  await place.coordinator.stop();
  await rm(place.folder, { recursive: true, force: true });
}

/** Trains a scenario; its last status, and all the runners that took part at any time. */
async function train(place: Place, training: string, what: Scenario) {
  await putScenario(place.store, training, what);
  await place.client.submit(training);
  const seen = new Set<string>();
  const status: Status = await place.client.follow(training, 60_000, ({ runners }) => {
    for (const runner of runners) seen.add(runner);
  });
  expect(status).toMatchObject({ phase: 'TRAINING_PHASE_FINISHED', reason: '', step: STEPS });
  return { status, runners: seen, hash: await hashOfStored(place.store, training, what.plan) };
}

describeNative('one training on any number of runners', () => {
  let place: Place;
  const expected = new Map<string, string>();
  beforeAll(async () => {
    place = await open();
    for (const [name, what] of SCENARIOS) {
      expected.set(name, await hashOfTraining(createNativeEngine({ threads: 2 }), what));
    }
  });
  afterAll(() => close(place));

  test.each([1, 2, 3, 4])('%i runners give the bits of this process alone', async (count) => {
    await addRunner(place);
    for (const [name, what] of SCENARIOS) {
      const { hash, runners, status } = await train(place, `${name}-on-${count}`, what);
      expect(runners.size, name).toBe(count);
      expect(status.recoveries, name).toBe(0);
      expect(hash, name).toBe(expected.get(name));
    }
  });

  test('half precision is not single precision', () => {
    expect(new Set(expected.values()).size).toBe(SCENARIOS.length);
  });
});

const oneKind = nativeIsas().length < 2 ? 'this processor runs kernels of one kind only' : undefined;

unless(oneKind, describeNative)('runners of two kinds', () => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => close(place));

  test('never share a training', async () => {
    const [one, other] = nativeIsas() as [string, string];
    const kinds = new Map<string, string>();
    for (const isa of [one, other, one, other]) kinds.set((await addRunner(place, isa)).id, isa);
    const [, what] = SCENARIOS[1];
    const hashes = new Map<string, string>();
    for (const isa of [one, other]) {
      hashes.set(isa, await hashOfTraining(createNativeEngine({ threads: 1, isa }), what));
    }
    expect(new Set(hashes.values()).size).toBe(2);
    // As many at once as the runners take: both kinds are used.
    const ends = await Promise.all([0, 1, 2, 3].map((i) => train(place, `kind-${i}`, what)));
    for (const { runners, hash } of ends) {
      const used = new Set([...runners].map((runner) => kinds.get(runner)!));
      expect(used.size).toBe(1);
      expect(runners.size).toBe(2);
      expect(hash).toBe(hashes.get([...used][0]));
    }
  });
});
