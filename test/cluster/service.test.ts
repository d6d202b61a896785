import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import exifr from 'exifr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runServiceChaos } from '../../bench/trials/service/chaos.js';
import { Service } from '../../bench/trials/service/service.js';
import { describeNative } from '../../engine/engines.fixture.js';
import { ensureBuilt, implicam } from '../support/binary.js';

/** The whole service as `npm start` runs it: real processes, a real Postgres, plain HTTP. */

const MINUTES = 60_000;
const STEPS = 400;
/** `CHAOS_SEED=7 npx vitest run test/cluster/service.test.ts` tries others. */
const SEED = Number(process.env.CHAOS_SEED ?? 1);

const folder = mkdtempSync(join(tmpdir(), 'implicam-service-test-'));
const sample = join(folder, 'sample');
let service: Service;
let session = '';

async function api(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${service.key}`, ...init.headers };
  return fetch(`${service.url}/v1${path}`, { ...init, headers });
}

async function asked<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await api(path, init);
  const body = await response.text();
  expect(response.ok, `${path}: ${body}`).toBe(true);
  return JSON.parse(body) as T;
}

interface SessionState {
  readonly state: string;
  readonly error: { message: string } | null;
  readonly training: { step: number | null };
}

const state = () => asked<SessionState>(`/sessions/${session}`);

beforeAll(async () => {
  await ensureBuilt();
  const made = await implicam(['sample', sample, '--size', '96x64', '--focus', '3', '--exposures', '2']);
  expect(made.code, made.stderr).toBe(0);
  service = await Service.start();
}, 3 * MINUTES);

afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
}, MINUTES);

describeNative('npm start', () => {
  test('takes photographs', async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' };
    const body = JSON.stringify({ preset: 'auto', quality: 'draft' });
    session = (await asked<{ id: string }>('/sessions', { method: 'POST', headers, body })).id;
    const photographs = readdirSync(sample).filter((name) => name.startsWith('focus'));
    expect(photographs).toHaveLength(6);
    for (const [number, name] of photographs.entries()) {
      await asked(`/sessions/${session}/frames/${number}?name=${name}`, {
        method: 'PUT',
        headers: { 'content-type': 'image/png' },
        body: readFileSync(join(sample, name)),
      });
    }
  });

  test('trains through the death of every process', { timeout: 6 * MINUTES }, async () => {
    await asked(`/sessions/${session}/training`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ steps: STEPS }),
    });
    const trainedSome = (step: number) =>
      expect
        .poll(async () => (await state().catch(() => undefined))?.training.step ?? -1, {
          timeout: MINUTES,
          interval: 100,
        })
        .toBeGreaterThanOrEqual(step);
    await trainedSome(1);
    for (const part of ['runner', 'coordinator', 'serve', 'postgres', 'up'] as const) {
      expect(service.processesOf(part).length, part).toBeGreaterThan(0);
      await service.kill(part);
      await service.ready();
    }
    await expect
      .poll(async () => (await state().catch(() => undefined))?.state, {
        timeout: 4 * MINUTES,
        interval: 500,
      })
      .toBe('trained');

    const developed = await implicam([
      'develop',
      sample,
      ...['--out', join(folder, 'out'), '--quality', 'draft', '--steps', `${STEPS}`, '--json'],
    ]);
    expect(developed.code, developed.stderr).toBe(0);
    const { parametersSha256 } = JSON.parse(developed.stdout);
    const model = await api(`/sessions/${session}/models/1/file`);
    expect(model.status).toBe(200);
    const local = readFileSync(join(folder, 'out', 'model.safetensors'));
    expect(tensorsOf(Buffer.from(await model.arrayBuffer()))).toEqual(tensorsOf(local));
    expect(parametersSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('renders what no photograph shows', async () => {
    const size = async (query: string) => {
      const response = await api(`/sessions/${session}/render?${query}`);
      expect(response.status, query).toBe(200);
      return (await response.arrayBuffer()).byteLength;
    };
    for (const query of [
      'format=jpeg',
      'kind=refocus&focus=0.5&format=png',
      'ev=2&format=avif',
      'format=exr',
    ]) {
      expect(await size(query)).toBeGreaterThan(500);
    }
    const jpeg = await api(`/sessions/${session}/render?format=jpeg`);
    expect(await exifr.parse(await jpeg.arrayBuffer())).toMatchObject({
      Software: expect.stringMatching(/^implicam \d/),
      FNumber: expect.any(Number),
      DateTimeOriginal: expect.any(Date),
    });
  });

  test(`keeps every fact while parts of it die (seed ${SEED})`, { timeout: 8 * MINUTES }, async () => {
    expect((await api(`/sessions/${session}`, { method: 'DELETE' })).status).toBe(204);
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const report = await runServiceChaos(service, { rounds: 2, seed: SEED, steps: 20, clients: 1, log });
    expect(report.trouble).toEqual([]);
    expect(report.failed, lines.join('\n')).toBe(0);
    expect(report.sessions).toBe(3);
  });
});

/** The numbers of a model file, without what it says of its origin. */
function tensorsOf(file: Buffer): string {
  return file.subarray(8 + Number(file.readBigUInt64LE(0))).toString('base64');
}
