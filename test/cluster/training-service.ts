import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { type CaptureOptions, renderCapture } from '../../bench/samples/capture.js';
import { freePort, Program } from '../../bench/trials/cluster/program.js';
import { programVersion } from '../../cli/shared/version.js';
import { type Coordinator, startCoordinator } from '../../coordinator/coordinator.js';
import { PostgresLedger } from '../../coordinator/ledgers/postgres.js';
import type { SchedulerOptions } from '../../coordinator/scheduler/options.js';
import { type Db, openDatabase } from '../../database/connection.js';
import type { Quality } from '../../model/presets.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';
import { type TestApi, testApi } from '../api/api.js';

/** A coordinator that can be made to die at a certain instant. */
export interface MortalCoordinator {
  /** As kill -9 for all that it says to the database: from now on none of it arrives, and its leases run out. */
  die(): Promise<void>;
  stop(): Promise<void>;
}

export interface CoordinatorOptions {
  readonly scheduler?: Partial<SchedulerOptions>;
  readonly store?: ObjectStore;
  readonly onLine?: (line: string) => void;
}

/** The API, coordinators of this process, runners of their own, over a real Postgres and a folder of objects. */
export class TrainingService {
  readonly folder: string;
  readonly api: TestApi;
  readonly key: string;
  readonly objects: ObjectStore;
  readonly lines: string[] = [];
  private readonly listen: string;
  private readonly runners: Program[] = [];
  private coordinators = 0;

  private constructor(folder: string, api: TestApi, key: string, listen: string) {
    this.folder = folder;
    this.api = api;
    this.key = key;
    this.listen = listen;
    this.objects = api.deps.objects;
  }

  static async open(): Promise<TrainingService> {
    const folder = await mkdtemp(join(tmpdir(), 'implicam-training-'));
    const api = await testApi({ objects: createFolderStore(join(folder, 'objects')) });
    return new TrainingService(folder, api, await api.key(), `127.0.0.1:${await freePort()}`);
  }

  async startCoordinator(options: CoordinatorOptions = {}): Promise<MortalCoordinator> {
    const { url: databaseUrl } = this.api;
    const owner = `coordinator ${++this.coordinators}`;
    const db: Db = openDatabase(databaseUrl, { name: owner });
    const log = (line: string) => {
      this.lines.push(`${owner}: ${line}`);
      options.onLine?.(line);
    };
    const store = options.store ?? this.objects;
    const coordinator: Coordinator = await startCoordinator({
      listen: this.listen,
      version: programVersion(),
      scheduler: options.scheduler ?? {},
      log,
      ledger: (calls) => new PostgresLedger({ db, databaseUrl, store, calls, owner, leaseSeconds: 2, log }),
    });
    let ended: Promise<void> | undefined;
    const end = (first: () => Promise<void>, then: () => Promise<void>) => {
      ended ??= first().then(then);
      return ended;
    };
    return {
      die: () =>
        end(
          () => db.destroy(),
          () => coordinator.stop(),
        ),
      stop: () =>
        end(
          () => coordinator.stop(),
          () => db.destroy(),
        ),
    };
  }

  startRunner(): void {
    const args = ['runner', '--coordinator', this.listen, '--data', this.folder, '--threads', '1'];
    const name = `runner ${this.runners.length}`;
    this.runners.push(new Program(name, args, (line) => this.lines.push(`${name}: ${line}`)));
  }

  /** A session with generated photographs. */
  async newSession(capture: CaptureOptions, quality: Quality = 'draft'): Promise<string> {
    const created = await this.call<{ id: string }>('POST', '/v1/sessions', {
      preset: 'auto',
      quality,
    });
    const { frames, options } = renderCapture(capture);
    const { width, height } = options;
    for (const [number, { pixels }] of frames.entries()) {
      const body = await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
      const path = `/v1/sessions/${created.id}/frames/${number}?name=${number}.png`;
      const headers = { 'content-type': 'image/png' };
      const response = await this.api.call(this.key, 'PUT', path, { body, headers });
      expect(response.ok, await response.text()).toBe(true);
    }
    return created.id;
  }

  async train(session: string, training: { readonly steps?: number }): Promise<void> {
    await this.call('POST', `/v1/sessions/${session}/training`, training);
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.api.call(this.key, method, path, body === undefined ? {} : { body });
    const text = await response.text();
    expect(response.ok, text).toBe(true);
    return JSON.parse(text) as T;
  }

  /** All events of a type. */
  async events<T = Record<string, unknown>>(session: string, type: string): Promise<T[]> {
    const found: T[] = [];
    for (let after = 0; ; ) {
      const path = `/v1/sessions/${session}/events?after=${after}&limit=100`;
      const events = await this.call<{ number: number; type: string; data: T }[]>('GET', path);
      const last = events.at(-1);
      if (!last) return found;
      found.push(...events.filter((event) => event.type === type).map(({ data }) => data));
      after = last.number;
    }
  }

  /** Waits until the session has its model. */
  async trained(session: string, timeout = 90_000): Promise<void> {
    const read = async () => {
      const { state, error } = await this.call<{ state: string; error: unknown }>(
        'GET',
        `/v1/sessions/${session}`,
      );
      if (state === 'failed') throw new Error(`${JSON.stringify(error)}\n${this.lines.join('\n')}`);
      return state;
    };
    await expect.poll(read, { timeout, interval: 100, message: this.lines.join('\n') }).toBe('trained');
  }

  async close(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.kill()));
    await this.api.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
