import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort, Program } from '../../bench/trials/cluster/program.js';
import { describeNative } from '../../engine/engines.fixture.js';
import type { ObjectStore } from '../../store/objects.js';
import { openStore } from '../../store/open.js';
import { type TestS3, testS3 } from '../store/s3-server.js';
import { ensureBuilt, implicam } from '../support/binary.js';

/** The whole service as real processes that share nothing but Postgres and an S3 store. */

const MINUTES = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'implicam-s3-service-'));
const sample = join(folder, 'sample');
const data = join(folder, 'data');
let s3: TestS3;
let objects: ObjectStore;
let service: Program;
let origin: string;
let key = '';

beforeAll(async () => {
  await ensureBuilt();
  s3 = await testS3();
  objects = openStore(s3.location, s3.env);
  Object.assign(process.env, s3.env, { IMPLICAM_DATA: data });
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const made = await implicam(['sample', sample, '--size', '64x48', '--focus', '3', '--exposures', '1']);
  expect(made.code, made.stderr).toBe(0);
  service = new Program('up', ['up', '--port', `${port}`, '--store', s3.location], (line) => {
    key = /#key=(\S+)/.exec(line)?.[1] ?? key;
  });
  const isReady = async () => key !== '' && (await fetch(`${origin}/readyz`).catch(() => undefined))?.ok;
  await vi.waitUntil(isReady, { timeout: 2 * MINUTES, interval: 200 });
}, 3 * MINUTES);

afterAll(async () => {
  await service?.stop(20_000);
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
}, MINUTES);

async function api(method: string, path: string, body?: Uint8Array<ArrayBuffer> | string): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${origin}/v1${path}`, { method, headers, ...(body ? { body } : {}) });
  expect(response.ok, `${method} ${path}: ${response.ok ? '' : await response.text()}`).toBe(true);
  return response;
}

describeNative('the service on an S3 store', () => {
  test('takes photographs, trains and renders', { timeout: 3 * MINUTES }, async () => {
    const made = await api('POST', '/sessions', '{"quality":"draft"}');
    const { id } = (await made.json()) as { id: string };
    const photographs = readdirSync(sample).filter((name) => name.startsWith('focus'));
    expect(photographs).toHaveLength(3);
    for (const [number, name] of photographs.entries()) {
      await api('PUT', `/sessions/${id}/frames/${number}?name=${name}`, readFileSync(join(sample, name)));
    }
    await api('POST', `/sessions/${id}/training`, '{"steps":60}');
    const state = async () => (await (await api('GET', `/sessions/${id}`)).json()) as { state: string };
    await expect
      .poll(async () => (await state()).state, { timeout: 2 * MINUTES, interval: 300 })
      .toMatch(/^(trained|failed)$/);
    expect(await state()).toMatchObject({ state: 'trained', error: null });

    const render = await api('GET', `/sessions/${id}/render?kind=refocus&focus=0.5&format=png`);
    const picture = Buffer.from(await render.arrayBuffer());
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    const file = await api('GET', `/sessions/${id}/models/1/file`);
    const model = Buffer.from(await file.arrayBuffer());

    // All of it is there, and nowhere else.
    const stored = await Promise.all((await objects.list(`sessions/${id}/`)).map((k) => objects.read(k)));
    expect(stored.some((object) => object.equals(picture))).toBe(true);
    expect(stored.some((object) => object.equals(model))).toBe(true);
    expect(existsSync(join(data, 'objects'))).toBe(false);

    await api('DELETE', `/sessions/${id}`);
    await expect.poll(() => objects.list(''), { timeout: MINUTES, interval: 300 }).toEqual([]);
  });

  test('does not start on a bucket that is not there', { timeout: MINUTES }, async () => {
    const elsewhere = `s3://nobucket?endpoint=${s3.endpoint}`;
    for (const command of [
      ['runner', '--coordinator', '127.0.0.1:1'],
      ['coordinator', '--listen', '127.0.0.1:0'],
    ]) {
      const { code, stderr } = await implicam([...command, '--store', elsewhere]);
      expect(code).toBe(1);
      expect(stderr).toContain('there is no bucket nobucket');
    }
    const unsigned = await implicam(['runner', '--coordinator', '127.0.0.1:1'], {
      env: { IMPLICAM_STORE: elsewhere, AWS_ACCESS_KEY_ID: '' },
    });
    expect(unsigned.code).toBe(2);
    expect(unsigned.stderr).toContain('AWS_ACCESS_KEY_ID');
  });
});
