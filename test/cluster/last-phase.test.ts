import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { maintain } from '../../edge-api/service/maintenance.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { sceneKeys } from '../../store/scene/keys.js';
import { ensureBuilt } from '../support/binary.js';
import { type CoordinatorOptions, type MortalCoordinator, TrainingService } from './training-service.js';

/** Between a training's last step and its end: coordinators that die there, and a last snapshot that is damaged. */

const MINUTES = 60_000;
const STEPS = 60;
const CAPTURE = { width: 64, height: 48, focus: 2, exposures: 1 };

let service: TrainingService;
let coordinator: MortalCoordinator | undefined;

beforeAll(async () => {
  await ensureBuilt();
  service = await TrainingService.open();
  service.startRunner();
}, 3 * MINUTES);
afterAll(() => service?.close());
afterEach(() => coordinator?.stop());

const start = async (options?: CoordinatorOptions) => {
  coordinator = await service.startCoordinator(options);
};

async function newTraining(): Promise<string> {
  const session = await service.newSession(CAPTURE);
  await service.train(session, { steps: STEPS });
  return session;
}

/** Turns a bit of an object round, at once. */
function flip(key: string): void {
  const file = join(service.folder, 'objects', key);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(file, bytes);
}

const modelOf = (session: string) =>
  service.api.db
    .selectFrom('models')
    .select(['steps', 'loss', 'psnr', 'parameters_sha256 as parameters'])
    .where('session', '=', session)
    .executeTakeFirstOrThrow();
const tidiedAt = (session: string) =>
  service.api.db
    .selectFrom('training_runs')
    .select('tidied_at')
    .where('session', '=', session)
    .executeTakeFirstOrThrow();
const leftovers = async (session: string) =>
  (await service.objects.list(`sessions/${session}/runs/`)).filter((key) => !key.includes('/outputs/'));

describeNative('the last phase', () => {
  let expected: Awaited<ReturnType<typeof modelOf>>;

  test('ends with a model that tells how well it does, and leaves nothing else', {
    timeout: 2 * MINUTES,
  }, async () => {
    await start();
    const session = await newTraining();
    await service.trained(session);
    expected = await modelOf(session);
    expect(expected).toMatchObject({ steps: STEPS, loss: expect.any(Number), psnr: expect.any(Number) });
    expect(expected.psnr).toBeGreaterThan(5);
    await expect.poll(() => leftovers(session), { timeout: MINUTES }).toEqual([]);
    const tidied = async () => (await tidiedAt(session)).tidied_at;
    await expect.poll(tidied, { timeout: MINUTES }).not.toBeNull();
  });

  test('ends with the same where its coordinator dies after the last step', {
    timeout: 2 * MINUTES,
  }, async () => {
    let died: Promise<void> | undefined;
    await start({
      onLine: (line) => {
        if (/ finished at step /.test(line)) died = coordinator!.die();
      },
    });
    const session = await newTraining();
    await expect.poll(() => died !== undefined, { timeout: MINUTES }).toBe(true);
    await died;
    await start();
    await service.trained(session);
    expect(await modelOf(session)).toEqual(expected);
    expect(await service.events(session, 'requeued')).toHaveLength(1);
  });

  test('ends with the same where its scene cannot be read any more by the next coordinator', {
    timeout: 2 * MINUTES,
  }, async () => {
    let died: Promise<void> | undefined;
    await start({
      onLine: (line) => {
        const training = /training (\S+) finished at step /.exec(line)?.[1];
        if (!training) return;
        flip(sceneKeys.head(training));
        died = coordinator!.die();
      },
    });
    const session = await newTraining();
    await expect.poll(() => died !== undefined, { timeout: MINUTES }).toBe(true);
    await died;
    await start();
    await service.trained(session);
    expect(await modelOf(session)).toEqual(expected);
    // It was prepared anew.
    const phases = (await service.events<{ phase: string }>(session, 'phase')).map(({ phase }) => phase);
    expect(phases.filter((phase) => phase === 'decode')).toHaveLength(2);
  });

  test('fails where the picture that training began with is damaged, and can be trained anew', {
    timeout: 2 * MINUTES,
  }, async () => {
    let struck: string | undefined;
    await start({
      onLine: (line) => {
        const training = /training (\S+) finished at step /.exec(line)?.[1];
        if (!training || struck) return;
        struck = sceneKeys.start(training, 'radiance');
        flip(struck);
      },
    });
    const session = await newTraining();
    const read = () => service.call<{ state: string; error: unknown }>('GET', `/v1/sessions/${session}`);
    await expect.poll(async () => (await read()).state, { timeout: MINUTES }).toBe('failed');
    expect(JSON.stringify((await read()).error)).toContain(`${struck} of the object store is not what was`);
    await service.train(session, { steps: STEPS });
    await service.trained(session);
    expect(await modelOf(session)).toEqual(expected);
  });

  test('what a coordinator leaves behind that dies before it tidies up is found by maintenance', {
    timeout: 2 * MINUTES,
  }, async () => {
    const { objects } = service;
    const store = {
      ...objects,
      deletePrefix: (prefix: string) =>
        prefix.endsWith('/scene/') ? Promise.reject(new Error('died')) : objects.deletePrefix(prefix),
    };
    await start({ store });
    const session = await newTraining();
    await service.trained(session);
    await coordinator!.die();
    expect(await leftovers(session)).not.toEqual([]);
    const { db, deps } = service.api;
    const outputs = await objects.list(`sessions/${session}/runs/1/outputs/`);
    await maintain(db, deps.objects, deps.limits, deps.log);
    // Not at once: the coordinator may be doing it.
    expect(await leftovers(session)).not.toEqual([]);
    await sql`update training_runs set finished_at = now() - interval '1 hour' where session = ${session}`.execute(
      db,
    );
    for (let twice = 0; twice < 2; twice++) await maintain(db, deps.objects, deps.limits, deps.log);
    expect(await leftovers(session)).toEqual([]);
    expect((await tidiedAt(session)).tidied_at).not.toBeNull();
    expect(await objects.list(`sessions/${session}/runs/1/outputs/`)).toEqual(outputs);
    expect(outputs).not.toEqual([]);
  });

  test('a last snapshot that is damaged is trained again, to the same bits', {
    timeout: 2 * MINUTES,
  }, async () => {
    let struck = false;
    await start({
      onLine: (line) => {
        // Between the last commit and the model that is made of it.
        const last = /training (\S+) finished at step (\d+)/.exec(line);
        if (!last || struck) return;
        struck = true;
        flip(`sessions/${last[1]}/snapshots/${last[2]}/shared.raw`);
      },
    });
    const session = await newTraining();
    await service.trained(session);
    expect(struck).toBe(true);
    expect(await modelOf(session)).toEqual(expected);
    const notes = (await service.events<{ text: string }>(session, 'note')).map(({ text }) => text);
    expect(notes.join('\n')).toContain(`the stored snapshot of step ${STEPS} is damaged`);
  });
});
