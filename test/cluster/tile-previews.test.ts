import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeScenario, putScenario } from '../../bench/trials/cluster/scene.js';
import { type Status, TrainingClient } from '../../bench/trials/cluster/training-client.js';
import { type Coordinator, startCoordinator } from '../../coordinator/coordinator.js';
import { FolderLedger } from '../../coordinator/ledgers/folder.js';
import { lookOf } from '../../develop/render/preview-picture.js';
import { bakeScene } from '../../develop/render/scene-renderer.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import { composeAllInFocus } from '../../model/render/render.js';
import { storePreview } from '../../runner/previews/store.js';
import { type Runner, startRunner } from '../../runner/runner.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';

/** Pictures of a training whose tiles are on several runners. */

const VERSION = 'test';
const TRAINING = 'tiled';
// More steps than will be done: it is cancelled once there is a picture.
const scenario = makeScenario({ steps: 6000, tilePixels: 1500 });

describeNative('a training in tiles on two runners', () => {
  let folder: string;
  let store: ObjectStore;
  let coordinator: Coordinator;
  let client: TrainingClient;
  const runners: Runner[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'implicam-test-'));
    store = createFolderStore(folder);
    coordinator = await startCoordinator({
      listen: '127.0.0.1:0',
      ledger: () => new FolderLedger(store, { spread: true }),
      // Short windows: there is a snapshot to make a picture of every few steps, whatever the machine's speed.
      scheduler: { maxWindowSteps: 20 },
      version: VERSION,
    });
    client = new TrainingClient(coordinator.address);
    for (let i = 0; i < 2; i++) {
      runners.push(
        await startRunner({
          coordinator: coordinator.address,
          engine: createNativeEngine({ threads: 1 }),
          store: folder,
          memoryBytes: 2 ** 30,
          version: VERSION,
          stepRate: 100,
        }),
      );
    }
  });
  afterAll(async () => {
    client?.close();
    await Promise.all(runners.map((runner) => runner.stop()));
    await coordinator?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('shows what all of its tiles have learned', { timeout: 180_000 }, async () => {
    expect(scenario.plan.shards.length).toBeGreaterThanOrEqual(4);
    await putScenario(store, TRAINING, scenario);
    await client.submit(TRAINING);
    const seen: Status[] = [];
    const followed = client.follow(TRAINING, 170_000, (status) => seen.push(status));
    const pictures = () => store.list(`sessions/${TRAINING}/outputs/0/`);
    await expect.poll(async () => (await pictures()).length, { timeout: 120_000 }).toBeGreaterThan(0);
    await client.cancel(TRAINING);
    await followed;
    expect(seen.some(({ runners: on }) => on.length === 2)).toBe(true);

    const [key] = await pictures();
    const step = Number(/preview-(\d+)\.jpg$/.exec(key)![1]);
    expect(step).toBeGreaterThanOrEqual(600);
    // The same as of the whole scene, trained here.
    const engine = createNativeEngine();
    const { model, frames, plan } = scenario;
    const trainer = await engine.open(plan, { frames, start: model.start }, model.state);
    await trainer.train(step);
    const trained = { ...model, state: await trainer.save() };
    trainer.close();
    const whole = composeAllInFocus(await bakeScene(trained, engine));
    const expected = await storePreview(store, 'reference', whole, lookOf(trained), 'whole.jpg');
    const [one, other] = await Promise.all([key, expected.key].map(pixelsOf));
    expect(one.equals(other)).toBe(true);
  });

  async function pixelsOf(key: string): Promise<Buffer> {
    const { data, info } = await sharp(await store.read(key))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 96, height: 64 });
    return data;
  }
});
