import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, Program } from '../bench/cluster/program.js';
import { nativeIsas } from '../runner/engines/native.js';
import { ensureBuilt, implicam } from './binary.js';

/** The whole service as `npm start` runs it: real processes, a real Postgres, plain HTTP. */

const MINUTES = 60_000;
const STEPS = 400;

const folder = mkdtempSync(join(tmpdir(), 'implicam-service-'));
const sample = join(folder, 'sample');
let port: number;
let service: Program;
let key = '';
let session = '';

function start(): Program {
  const program = new Program('start', ['start', '--port', `${port}`], (line) => {
    key = /#key=(\S+)/.exec(line)?.[1] ?? key;
  });
  return program;
}

const ready = () =>
  vi.waitUntil(
    async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200,
    { timeout: MINUTES, interval: 200 },
  );

async function api(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, ...init.headers };
  return fetch(`http://127.0.0.1:${port}/v1${path}`, { ...init, headers });
}

async function asked<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await api(path, init);
  const body = await response.text();
  expect(response.ok, `${path}: ${body}`).toBe(true);
  return JSON.parse(body) as T;
}

/** Processes of the service by what they do; its Postgres by its data folder. */
function processesOf(what: string): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args']).toString().split('\n');
  const mine = what === 'postgres' ? `${folder}/data/postgres/data` : `main.js ${what}`;
  const found = lines.filter((line) => line.includes(mine) && !line.includes('main.js start'));
  const own = new Set(descendants(service.pid));
  return found.map((line) => Number.parseInt(line, 10)).filter((pid) => what === 'postgres' || own.has(pid));
}

function descendants(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid']).toString().trim().split('\n').slice(1);
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.flatMap(([child, of]) => (of === parent ? [child!, ...below(child!)] : []));
  return below(pid);
}

interface SessionState {
  readonly state: string;
  readonly error: { message: string } | null;
  readonly training: { step: number | null };
}

const state = () => asked<SessionState>(`/sessions/${session}`);

beforeAll(async () => {
  await ensureBuilt();
  process.env.IMPLICAM_DATA = join(folder, 'data');
  port = await freePort();
  const made = await implicam(['sample', sample, '--size', '96x64', '--focus', '3', '--exposures', '2']);
  expect(made.code, made.stderr).toBe(0);
  service = start();
  await ready();
  await vi.waitUntil(() => key !== '', { timeout: MINUTES });
}, 3 * MINUTES);

afterAll(async () => {
  await service?.stop(20_000);
  delete process.env.IMPLICAM_DATA;
  rmSync(folder, { recursive: true, force: true });
}, MINUTES);

describe.skipIf(nativeIsas().length === 0)('npm start', () => {
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
    for (const what of ['runner', 'coordinator', 'serve', 'postgres']) {
      const [victim] = processesOf(what);
      expect(victim, what).toBeGreaterThan(0);
      process.kill(victim!, 'SIGKILL');
      await ready();
    }
    service.signal('SIGKILL');
    await service.ended;
    service = start();
    await ready();
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
  });
});

/** The numbers of a model file, without what it says of its origin. */
function tensorsOf(file: Buffer): string {
  return file.subarray(8 + Number(file.readBigUInt64LE(0))).toString('base64');
}
