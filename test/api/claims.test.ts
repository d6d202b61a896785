import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Claim, claimNext, release, renew } from '../../database/claims.js';
import { type Db, json } from '../../database/connection.js';
import type { Lease } from '../../database/lease.js';
import { listen } from '../../database/listener.js';
import {
  appendEvents,
  cancelled,
  commitSnapshot,
  type FinishedModel,
  fail,
  finish,
  recordPhase,
  recordPlacement,
  recordProgress,
  replaceSnapshots,
} from '../../database/training-records.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
  await db.insertInto('tenants').values({ id: 'acme' }).execute();
});
afterAll(() => database.close());
beforeEach(() => db.deleteFrom('sessions').execute());

async function queued(): Promise<string> {
  const { id } = await db
    .insertInto('sessions')
    .values({
      tenant: 'acme',
      preset: 'auto',
      quality: 'draft',
      notes: '',
      state: 'queued',
      run: 1,
      queue_order: sql`nextval('queue_order')`,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('training_runs')
    .values({ session: id, number: 1, state: 'queued', preset: 'auto', quality: 'draft', seed: 1 })
    .execute();
  return id;
}

/** As when a coordinator has not been heard of for longer than its lease. */
async function expire(session: string): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ lease_expires: sql`now() - interval '1 second'` })
    .where('id', '=', session)
    .execute();
}

async function claim(owner = 'a'): Promise<Claim> {
  const claimed = await claimNext(db, owner, 30);
  if (!claimed) throw new Error('nothing to claim');
  return claimed;
}

const events = (session: string) =>
  db.selectFrom('events').selectAll().where('session', '=', session).orderBy('number').execute();
const sessionRow = (id: string) =>
  db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

const model: FinishedModel = {
  objectKey: 'sessions/x/model-1.safetensors',
  bytes: 10,
  sha256: new Uint8Array(32),
  parametersSha256: 'ab'.repeat(32),
  steps: 100,
  loss: 0.01,
  psnr: 40,
  outputs: [{ name: 'all-in-focus.exr', key: 'sessions/x/a.exr', type: 'image/x-exr', bytes: 3 }],
};

/** Every write that a coordinator can make, for showing that none gets through. */
const WRITES: Record<string, (lease: Lease) => Promise<unknown>> = {
  appendEvents: (lease) => appendEvents(db, lease, [{ type: 'note', data: { text: 'late' } }]),
  recordProgress: (lease) =>
    recordProgress(db, lease, {
      step: 9,
      stepsTotal: 10,
      loss: 1,
      psnr: 1,
      stepsPerSecond: 1,
      secondsLeft: 1,
    }),
  recordPhase: (lease) => recordPhase(db, lease, 'train', 10),
  recordPlacement: (lease) => recordPlacement(db, lease, [{ shard: 0, runner: 'r', device: 'cpu' }], 0),
  replaceSnapshots: (lease) => replaceSnapshots(db, lease, null),
  commitSnapshot: (lease) => commitSnapshot(db, lease, 9, { epoch: 9, late: true }),
  finish: (lease) => finish(db, lease, model),
  fail: (lease) => fail(db, lease, { code: 'late', message: 'late' }),
  cancelled: (lease) => cancelled(db, lease),
};

describe('claiming', () => {
  test('many claimers at once share the sessions, each gets others, in the order of the queue', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push(await queued());
    const claimers = Array.from({ length: 8 }, async (_, i) => {
      const mine: string[] = [];
      for (;;) {
        const claimed = await claimNext(db, `coordinator ${i}`, 30);
        if (!claimed) return mine;
        mine.push(claimed.lease.session);
      }
    });
    const shares = await Promise.all(claimers);
    expect(shares.flat().sort()).toEqual([...ids].sort());
    for (const mine of shares) {
      const places = mine.map((id) => ids.indexOf(id));
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
  });

  test('a claim says what to train, frames in order', async () => {
    const session = await queued();
    for (const number of [2, 0, 1]) {
      await db
        .insertInto('frames')
        .values({
          session,
          number,
          name: `${number}.jpg`,
          bytes: 5,
          sha256: Buffer.alloc(32, number),
          format: 'jpeg',
          camera: json({ iso: 100 * number }),
          object_key: `sessions/${session}/frames/${number}`,
          state: 'checked',
        })
        .execute();
    }
    const claimed = await claim();
    expect(claimed).toMatchObject({
      run: 1,
      preset: 'auto',
      quality: 'draft',
      modelVersion: 1,
      snapshot: null,
    });
    expect(claimed.frames.map((f) => [f.number, f.name, f.camera])).toEqual([
      [0, '0.jpg', { iso: 0 }],
      [1, '1.jpg', { iso: 100 }],
      [2, '2.jpg', { iso: 200 }],
    ]);
  });

  test('a session whose coordinator was lost goes to another, before those that wait, from its snapshot', async () => {
    const first = await queued();
    await queued();
    const lost = await claim('a');
    expect(lost.lease).toMatchObject({ session: first, number: 1 });
    await commitSnapshot(db, lost.lease, 40, { epoch: 1, objects: ['x'] });
    await expire(first);
    const next = await claim('b');
    expect(next.lease).toEqual({ session: first, owner: 'b', number: 2 });
    expect(next.snapshot).toEqual({ step: 40, manifest: { epoch: 1, objects: ['x'] } });
    expect((await events(first)).map((e) => e.type)).toEqual(['started', 'snapshot', 'requeued', 'started']);
  });

  test('a lease that is renewed is not taken, and one that was late but not taken is kept', async () => {
    const session = await queued();
    const { lease } = await claim('a');
    expect(await claimNext(db, 'b', 30)).toBeUndefined();
    await expire(session);
    expect(await renew(db, lease, 30)).toBe('continue');
    expect(await claimNext(db, 'b', 30)).toBeUndefined();
  });

  test('what is given back goes first, with a new number', async () => {
    const first = await queued();
    await queued();
    const { lease } = await claim('a');
    await release(db, lease);
    expect((await claim('b')).lease).toEqual({ session: first, owner: 'b', number: 2 });
  });
});

describe('fencing', () => {
  test.each(Object.keys(WRITES))('%s of a coordinator that lost its lease changes nothing', async (write) => {
    const session = await queued();
    const old = await claim('a');
    await expire(session);
    const current = await claim('a');
    const before = [await sessionRow(session), await events(session)];
    await expect(WRITES[write](old.lease)).rejects.toMatchObject({ code: 'lease-lost' });
    expect([await sessionRow(session), await events(session)]).toEqual(before);
    expect(await renew(db, old.lease, 30)).toBe('lost');
    await release(db, old.lease);
    expect(await sessionRow(session)).toMatchObject({
      lease_number: current.lease.number,
      state: 'training',
    });
    await WRITES[write](current.lease);
  });

  test.each(Object.keys(WRITES))('%s about a session that is being deleted is refused', async (write) => {
    const session = await queued();
    const { lease } = await claim();
    await db.updateTable('sessions').set({ state: 'deleting' }).where('id', '=', session).execute();
    expect(await renew(db, lease, 30)).toBe('delete');
    await expect(WRITES[write](lease)).rejects.toMatchObject({ code: 'lease-lost' });
    await release(db, lease);
    expect(await sessionRow(session)).toMatchObject({ state: 'deleting', lease_owner: null });
  });

  test('a snapshot never goes back', async () => {
    await queued();
    const { lease } = await claim();
    await commitSnapshot(db, lease, 50, { epoch: 7 });
    const earlier = { code: 'snapshot-order' };
    await expect(commitSnapshot(db, lease, 40, { epoch: 7 })).rejects.toMatchObject(earlier);
    await expect(commitSnapshot(db, lease, 60, { epoch: 6 })).rejects.toMatchObject(earlier);
  });

  test('a later placement may commit an earlier step: what was stored is damaged', async () => {
    const session = await queued();
    const { lease } = await claim();
    await commitSnapshot(db, lease, 50, { epoch: 7 });
    await commitSnapshot(db, lease, 40, { epoch: 8 });
    await replaceSnapshots(db, lease, { step: 30, manifest: { epoch: 5 } });
    await expire(session);
    expect((await claim('b')).snapshot).toEqual({ step: 30, manifest: { epoch: 5 } });
  });
});

describe('events', () => {
  test('writers at once give numbers without gaps or duplicates', async () => {
    const session = await queued();
    const { lease } = await claim();
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        appendEvents(db, lease, [
          { type: 'note', data: { text: `${i}` } },
          { type: 'note', data: { text: `${i}, again` } },
        ]),
      ),
    );
    const numbers = (await events(session)).map((e) => e.number);
    expect(numbers).toEqual(Array.from({ length: 121 }, (_, i) => i + 1));
    expect((await sessionRow(session)).last_event).toBe(121);
  });

  test('a reader that follows the numbers misses none while many write', async () => {
    const session = await queued();
    const { lease } = await claim();
    let writing = true;
    const writers = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 20; i++) {
          await appendEvents(db, lease, [{ type: 'note', data: { text: `${writer}.${i}` } }]);
        }
      }),
    ).finally(() => {
      writing = false;
    });
    let last = 0;
    const seen: number[] = [];
    for (let more = true; more; ) {
      more = writing;
      const rows = await db
        .selectFrom('events')
        .select('number')
        .where('session', '=', session)
        .where('number', '>', last)
        .orderBy('number')
        .execute();
      seen.push(...rows.map(({ number }) => number));
      last = seen.at(-1) ?? 0;
    }
    await writers;
    expect(seen).toEqual(Array.from({ length: 161 }, (_, i) => i + 1));
  });

  test('a session ends with its model, its run and its shards in order', async () => {
    const session = await queued();
    const { lease } = await claim();
    await recordPlacement(db, lease, [{ shard: 0, runner: 'r1', device: 'cpu' }], 0);
    await recordPhase(db, lease, 'train', 100);
    expect(await finish(db, lease, model)).toBe(1);
    expect(await sessionRow(session)).toMatchObject({
      state: 'trained',
      lease_owner: null,
      model_version: 1,
    });
    const stored = await db.selectFrom('models').selectAll().executeTakeFirstOrThrow();
    expect(stored).toMatchObject({
      version: 1,
      parameters_sha256: model.parametersSha256,
      outputs: model.outputs,
    });
    expect(await db.selectFrom('shards').selectAll().execute()).toEqual([]);
    expect(await claimNext(db, 'b', 30)).toBeUndefined();
    expect((await events(session)).at(-1)).toMatchObject({ type: 'trained', data: { model: 1, steps: 100 } });
  });
});

test('listeners hear of work, and look again after their connection was cut', async () => {
  const heard: (string | undefined)[] = [];
  let wake: () => void = () => undefined;
  const listener = listen(database.url, {
    channels: ['implicam_sessions'],
    pollSeconds: 3600,
    onWake: (_, payload) => {
      heard.push(payload);
      wake();
    },
  });
  const until = async (met: () => boolean) => {
    while (!met()) {
      await new Promise<void>((done) => {
        wake = done;
      });
    }
  };
  try {
    await until(() => heard.length === 1);
    const { id } = await db
      .insertInto('sessions')
      .values({ tenant: 'acme', preset: 'auto', quality: 'draft', notes: '' })
      .returning('id')
      .executeTakeFirstOrThrow();
    await db.updateTable('sessions').set({ state: 'queued', queue_order: 1 }).where('id', '=', id).execute();
    await until(() => heard.length === 2);
    expect(JSON.parse(heard[1]!)).toEqual({ session: id, state: 'queued', cancel: false });
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'implicam listener' and datname = current_database()`.execute(db);
    await until(() => heard.length === 3);
    expect(heard[2]).toBeUndefined();
  } finally {
    await listener.close();
  }
});
