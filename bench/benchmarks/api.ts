import { loadavg } from 'node:os';
import { PersistentClient, type SeenEvent } from '../trials/service/client.js';
import { photograph } from '../trials/service/photographs.js';
import { Service } from '../trials/service/service.js';
import { putPhotograph } from '../trials/service/uploads.js';
import { median } from './step.js';

export interface ApiRow {
  readonly route: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ApiReport {
  /** Each route under closed-loop load of CLIENTS clients (renders that must be made: RENDERERS). */
  readonly rows: readonly ApiRow[];
  /** Size of the uncached renders. */
  readonly megapixels: number;
  /** One render at a time, nothing else going on: the first of a model, and the median of further ones. */
  readonly firstRenderMs: number;
  readonly renderMs: number;
  /** Steps a second of a training alone, and beside all routes under load; the share that the load takes. */
  readonly training: { readonly alone: number; readonly loaded: number; readonly share: number };
  /** Load of this machine before the measurement: other programs' work is in the numbers. */
  readonly load: number;
}

export interface ApiOptions {
  /** Seconds of each measurement. @default 4 */
  readonly seconds?: number;
  /** Turns of training alone and loaded. @default 3 */
  readonly turns?: number;
  readonly log?: (line: string) => void;
}

const WIDTH = 1224;
const HEIGHT = 816;
/** Renders do not depend on how long a model was trained. */
const STEPS = 20;
const CLIENTS = 8;
const RENDERERS = 4;
const SINGLE_RENDERS = 9;
/** More than any measurement lasts. */
const ENDLESS = 1_000_000;
const TRAINING_DEADLINE = 300_000;

/** Measures a whole service that it starts for itself: real processes, a real Postgres, HTTP over loopback. */
export async function benchApi(options: ApiOptions = {}): Promise<ApiReport> {
  const { seconds = 4, turns = 3, log = () => undefined } = options;
  const [load] = loadavg() as [number, number, number];
  const service = await Service.start();
  try {
    const client = new PersistentClient(service.url, await service.unlimitedKey());
    log('training a model of one megapixel');
    const session = await train(client, { width: WIDTH, height: HEIGHT, focus: 3, exposures: 1 }, STEPS);
    await follow(client, session, ['trained', 'failed']);
    const routes = routesOf(client, session);
    const firstRenderMs = await timed(routes.uncached);
    const single: number[] = [];
    for (let i = 0; i < SINGLE_RENDERS; i++) single.push(await timed(routes.uncached));
    const rows: ApiRow[] = [];
    for (const [route, ask] of Object.entries(routes)) {
      const width = route === 'uncached' ? RENDERERS : CLIENTS;
      rows.push({ route: NAMES[route], ...(await underLoad(ask, width, seconds)) });
      log(`${NAMES[route]}: ${rows.at(-1)!.requestsPerSecond.toFixed(0)} requests/s`);
    }
    const training = await shareOfTraining(client, Object.values(routes), seconds, turns);
    const megapixels = (WIDTH * HEIGHT) / 1e6;
    return { rows, megapixels, firstRenderMs, renderMs: median(single), training, load };
  } finally {
    await service.stop();
  }
}

const NAMES: Readonly<Record<string, string>> = {
  create: 'create a session',
  status: 'read a session',
  cached: 'render, cached',
  uncached: 'render, made',
};

type Ask = () => Promise<void>;

function routesOf(client: PersistentClient, session: string): Record<string, Ask> {
  let renders = 0;
  const get = async (path: string) => void (await client.ask('GET', path));
  const render = (focus: number) =>
    get(`/v1/sessions/${session}/render?kind=refocus&focus=${focus.toFixed(6)}&format=jpeg`);
  return {
    create: async () => void (await client.ask('POST', '/v1/sessions', { body: {} })),
    status: () => get(`/v1/sessions/${session}`),
    cached: () => render(0),
    // Another focus each time: a picture that nobody has asked for.
    uncached: () => render(-1 + 1e-4 * ++renders),
  };
}

async function timed(ask: Ask): Promise<number> {
  const began = performance.now();
  await ask();
  return performance.now() - began;
}

/** Asks again and again on `width` connections. */
async function underLoad(ask: Ask, width: number, seconds: number): Promise<Omit<ApiRow, 'route'>> {
  await ask();
  const times: number[] = [];
  const began = performance.now();
  const end = began + 1000 * seconds;
  const one = async () => {
    while (performance.now() < end) times.push(await timed(ask));
  };
  await Promise.all(Array.from({ length: width }, one));
  const spent = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))];
  return { requestsPerSecond: times.length / spent, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** Uploads a capture and asks for its training. @returns the session */
async function train(
  client: PersistentClient,
  capture: Parameters<typeof photograph>[0],
  steps: number,
): Promise<string> {
  const body = { preset: 'focus', quality: 'draft' };
  const { id } = await client.json<{ id: string }>('POST', '/v1/sessions', { body });
  for (const picture of await photograph(capture)) await putPhotograph(client, id, picture);
  await client.ask('POST', `/v1/sessions/${id}/training`, { body: { steps } });
  return id;
}

async function follow(
  client: PersistentClient,
  session: string,
  last: readonly string[],
): Promise<SeenEvent[]> {
  return client.follow(session, last, TRAINING_DEADLINE, () => Number.POSITIVE_INFINITY);
}

/** Step rate of a training, alone and beside one client for each route, in turns. */
async function shareOfTraining(
  client: PersistentClient,
  asks: readonly Ask[],
  seconds: number,
  turns: number,
): Promise<ApiReport['training']> {
  const session = await train(client, { width: 300, height: 200, focus: 3, exposures: 1 }, ENDLESS);
  // The runners settle into their pace.
  await follow(client, session, ['progress', 'failed']);
  await rateOf(client, session, 2);
  const rates: { alone: number[]; loaded: number[] } = { alone: [], loaded: [] };
  for (let turn = 0; turn < turns; turn++) {
    rates.alone.push(await rateOf(client, session, seconds));
    const [rate] = await Promise.all([
      rateOf(client, session, seconds),
      ...asks.map((ask) => underLoad(ask, 1, seconds)),
    ]);
    rates.loaded.push(rate);
  }
  await client.ask('DELETE', `/v1/sessions/${session}`);
  const [alone, loaded] = [median(rates.alone), median(rates.loaded)];
  return { alone, loaded, share: Math.max(0, 1 - loaded / alone) };
}

/** Steps a second over some seconds, by the service's own events. */
async function rateOf(client: PersistentClient, session: string, seconds: number): Promise<number> {
  const from = await newestProgress(client, session);
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const to = await newestProgress(client, session);
  return (to.step - from.step) / ((to.at - from.at) / 1000);
}

async function newestProgress(
  client: PersistentClient,
  session: string,
): Promise<{ step: number; at: number }> {
  const { lastEvent } = await client.json<{ lastEvent: number }>('GET', `/v1/sessions/${session}`);
  const path = `/v1/sessions/${session}/events?after=${Math.max(0, lastEvent - 20)}`;
  const events = await client.json<(SeenEvent & { at: string })[]>('GET', path);
  const newest = events.filter(({ type }) => type === 'progress').at(-1)!;
  return { step: Number(newest.data.step), at: Date.parse(newest.at) };
}
