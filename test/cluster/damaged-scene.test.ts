import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from '../../bench/trials/cluster/cluster.js';
import {
  hashOfStored,
  hashOfTraining,
  makeScenario,
  putScenario,
  type Scenario,
} from '../../bench/trials/cluster/scene.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import { sceneKeys, snapshotKeys } from '../../store/scene/keys.js';
import { ensureBuilt } from '../support/binary.js';

/** Prepared scenes that are not what was written, and processes that are to train from them. */

const MINUTES = 60_000;

/** Photographs with masks, and a start. */
function wholeScenario(): Scenario {
  const scenario = makeScenario({ steps: 40, tilePixels: 1500 });
  const { width, height } = scenario.model.capture;
  const wave = (i: number) => Math.sin(i * 12.9898);
  const frames = scenario.frames.map(({ data }) => ({
    data,
    mask: Uint8Array.from({ length: width * height }, (_, i) => (wave(i) > -0.6 ? 1 : 0)),
  }));
  const start = {
    radiance: Float32Array.from({ length: 3 * width * height }, (_, i) => -1.5 + wave(i)),
    defocus: Float32Array.from({ length: width * height }, (_, i) => 0.6 * wave(i + 0.5)),
  };
  return { ...scenario, frames, model: { ...scenario.model, start } };
}

beforeAll(() => ensureBuilt(), 2 * MINUTES);

describeNative('a training whose prepared scene is damaged', () => {
  const scenario = wholeScenario();
  let cluster: Cluster;
  const lines: string[] = [];

  beforeAll(async () => {
    cluster = await Cluster.start({ runners: 2, onLine: (line) => lines.push(line) });
  }, 2 * MINUTES);
  afterAll(() => cluster?.stop());

  const path = (key: string) => join(cluster.folder, 'objects', key);
  const flip = async (key: string, at = 0.5) => {
    const bytes = await cluster.store.read(key);
    bytes[Math.floor(at * bytes.length)] ^= 1;
    await cluster.store.put(key, bytes);
  };

  test.each<[string, (training: string) => string, (key: string) => Promise<void>, string]>([
    ['a bit of a frame', (s) => sceneKeys.frame(s, 2), flip, 'checksum'],
    ['a bit of a mask', (s) => sceneKeys.mask(s, 1), flip, 'checksum'],
    ["a bit of the start's picture", (s) => sceneKeys.start(s, 'radiance'), flip, 'checksum'],
    ["a bit of the start's map", (s) => sceneKeys.start(s, 'defocus'), flip, 'checksum'],
    ['the end of a frame', (s) => sceneKeys.frame(s, 0), (key) => truncate(path(key), 100), 'has 100 bytes'],
    ['a mask', (s) => sceneKeys.mask(s, 0), (key) => rm(path(key)), 'missing'],
  ])('fails and says so: %s', { timeout: 2 * MINUTES }, async (what, keyOf, damage, why) => {
    const training = what.replaceAll(/\W/g, '-');
    await putScenario(cluster.store, training, scenario);
    const key = keyOf(training);
    await damage(key);
    await cluster.client.submit(training);
    const steps = new Set<number>();
    const last = await cluster.client.follow(training, MINUTES, ({ step }) => steps.add(step));
    expect(last.phase, lines.join('\n')).toBe('TRAINING_PHASE_FAILED');
    expect(last.reason).toContain(`${key} of the object store`);
    expect(last.reason).toContain(why);
    expect(last.reason).toContain('train the session anew');
    expect([...steps]).toEqual([0]);
    expect(await readdir(path(snapshotKeys.all(training)))).toEqual(['0']);
  });

  // Wherever the bit is: in a number, a name, a checksum, between them.
  test.each([0.01, 0.2, 0.4, 0.6, 0.8, 0.99])(
    'is refused where a bit of its head is another, at %f',
    async (at) => {
      const training = `head-${at * 100}`;
      await putScenario(cluster.store, training, scenario);
      await flip(sceneKeys.head(training), at);
      await expect(cluster.client.submit(training)).rejects.toThrow('damaged or of another version');
    },
  );

  test('does not keep a coordinator from the others', { timeout: 2 * MINUTES }, async () => {
    await putScenario(cluster.store, 'left', makeScenario({ steps: 1_000_000 }));
    await cluster.client.submit('left');
    await cluster.coordinator.kill();
    await flip(sceneKeys.head('left'));
    cluster.restartCoordinator();
    await cluster.coordinator.line(/^training left is not taken up: .* damaged or of another version/);
    await cluster.coordinator.line(/^coordinator on /);
  });

  test('trains where nothing is damaged', { timeout: 2 * MINUTES }, async () => {
    await putScenario(cluster.store, 'sound', scenario);
    await cluster.client.submit('sound');
    const last = await cluster.client.follow('sound', MINUTES);
    expect(last.phase, last.reason).toBe('TRAINING_PHASE_FINISHED');
    const alone = await hashOfTraining(createNativeEngine(), scenario);
    expect(await hashOfStored(cluster.store, 'sound', scenario.plan)).toBe(alone);
  });
});
