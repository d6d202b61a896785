import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKey } from '../../edge-api/keys/keys.js';
import { noGateway } from '../../edge-api/renders/gateway.js';
import { type RunningServer, startServer } from '../../edge-api/runtime/node.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';

/** Uploads that mean harm, over real sockets: each ends in a clear 4xx, and nothing of it stays. */

let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
let server: RunningServer;
let key: string;
let session: string;
const faults: unknown[] = [];
const MAX_BYTES = 4 * 2 ** 20;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'implicam-hostile-'));
  objects = createFolderStore(folder);
  server = await startServer({
    databaseUrl: database.url,
    objects,
    gateway: noGateway,
    log: { info: () => undefined, warn: () => undefined, error: (fields) => faults.push(fields) },
    version: '0.0.0',
    port: 0,
    limits: {
      frameBytes: MAX_BYTES,
      framePixels: 20e6,
      frames: 8,
      bodyIdleSeconds: 1,
      bodyBytesPerSecond: 10_000,
      uploadsPerTenant: 6,
    },
  });
  const generous = { ratePerMinute: 1_000_000, burst: 100_000 };
  key = (await createKey(database.db, { tenant: 'acme', name: 'hostile', ...generous })).secret;
  const made = await fetch(`${server.url}/v1/sessions`, { method: 'POST', headers: authorization() });
  session = ((await made.json()) as { id: string }).id;
});
afterAll(async () => {
  await server.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const authorization = () => ({ authorization: `Bearer ${key}` });

async function put(body: Uint8Array | ReadableStream, number = 0, query = '') {
  const response = await fetch(`${server.url}/v1/sessions/${session}/frames/${number}${query}`, {
    method: 'PUT',
    headers: authorization(),
    body: body as Uint8Array<ArrayBuffer>,
    duplex: 'half',
  } as RequestInit);
  const { code, detail, name } = (await response.json()) as Record<string, string>;
  return { status: response.status, code, detail, name };
}

/** What a hostile upload must leave: no object, no frame, and a service that still answers others. */
async function expectNothing(): Promise<void> {
  expect(await objects.list('')).toEqual([]);
  expect(await database.db.selectFrom('frames').select('number').execute()).toEqual([]);
  expect((await fetch(`${server.url}/v1/sessions/${session}`, { headers: authorization() })).status).toBe(
    200,
  );
  expect(faults).toEqual([]);
}

const noise = (width: number, height: number) =>
  sharp(Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * 2654435761) >>> 13)), {
    raw: { width, height, channels: 3 },
  });

/** A PNG that says how large it is, with whatever in it. */
function png(width: number, height: number, ...more: [string, Buffer][]): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = more.map(([type, data]) => chunk(type, data));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[chunk('IHDR', header), ...parts, chunk('IEND', Buffer.alloc(0))],
  ]);
}

describe('a hostile upload', () => {
  test.each(['jpeg', 'png', 'webp', 'avif', 'tiff'] as const)(
    'cut short, as %s, is refused',
    async (format) => {
      const whole = await noise(64, 64).toFormat(format).toBuffer();
      for (const part of [0.1, 0.5, 0.9]) {
        const answer = await put(whole.subarray(0, Math.floor(part * whole.length)));
        expect([answer.status, answer.code]).toEqual([422, 'file-corrupt']);
      }
      await expectNothing();
    },
  );

  test('with flipped bits or of pure noise is refused or taken, but never a fault of the service', async () => {
    const whole = await Promise.all([noise(48, 32).jpeg().toBuffer(), noise(48, 32).png().toBuffer()]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(7)), {
          minLength: 1,
          maxLength: 20,
        }),
        async (file, flips) => {
          const bytes = Buffer.from(file);
          for (const [at, bit] of flips) bytes[Math.floor(at * bytes.length)] ^= 1 << bit;
          const { status } = await put(bytes);
          expect([200, 201, 413, 415, 422]).toContain(status);
          const url = `${server.url}/v1/sessions/${session}/frames/0`;
          await fetch(url, { method: 'DELETE', headers: authorization() });
        },
      ),
      { numRuns: 40, seed: 4 },
    );
    await expectNothing();
  });

  test('that unpacks to far more than it is, is refused by its header', async () => {
    const zeros = deflateSync(Buffer.alloc(50 * 2 ** 20));
    const bombs: [Buffer, number][] = [
      [png(60_000, 60_000, ['IDAT', zeros]), 413],
      [png(2 ** 31 - 1, 2 ** 31 - 1, ['IDAT', zeros]), 422],
      [
        png(64, 64, ['zTXt', Buffer.concat([Buffer.from('a\0\0'), zeros])], ['IDAT', zeros.subarray(0, 9)]),
        422,
      ],
    ];
    for (const [bomb, status] of bombs) expect((await put(bomb)).status).toBe(status);
    await expectNothing();
  });

  test('of another type is told what it is', async () => {
    const cases: [string, RegExp][] = [
      ['<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', /SVG/],
      ['%PDF-1.7', /PDF/],
      ['GIF89a', /GIF/],
      ['\0\0\0\x18ftypheic\0\0\0\0', /HEIC/],
      ['#!/bin/sh\nrm -rf /', /JPEG/],
    ];
    for (const [text, says] of cases) {
      const answer = await put(Buffer.from(text, 'latin1'));
      expect([answer.status, answer.code]).toEqual([415, 'format-unsupported']);
      expect(answer.detail).toMatch(says);
    }
    await expectNothing();
  });

  test('whose name is a path stays in its place', async () => {
    const names = ['../../../etc/passwd', '..', '/etc/passwd', 'C:\\boot.ini', '\u202egpj.exe', '%2e%2e%2fx'];
    for (const name of names) {
      const answer = await put(await noise(32, 32).png().toBuffer(), 0, `?name=${encodeURIComponent(name)}`);
      expect(answer.name).not.toMatch(/[/\\\u202e]|^\.+$/);
      expect((await objects.list('')).every((k) => k.startsWith(`sessions/${session}/frames/0-`))).toBe(true);
    }
    for (const path of ['frames/..%2f..%2fx', 'frames/-1', 'frames/99999', 'frames/0x1', 'frames/%00']) {
      const url = `${server.url}/v1/sessions/${session}/${path}`;
      const response = await fetch(url, { method: 'PUT', headers: authorization(), body: 'x' });
      expect([400, 404]).toContain(response.status);
    }
    const url = `${server.url}/v1/sessions/${session}/frames/0`;
    expect((await fetch(url, { method: 'DELETE', headers: authorization() })).status).toBe(204);
    await expectNothing();
  });

  test('without end is cut off, with and without a length', async () => {
    const announced = await raw(`content-length: ${10 * MAX_BYTES}\r\n`, []);
    expect(announced).toMatch(/^HTTP\/1.1 413 /);
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const answer = await put(endless).catch(() => undefined);
    if (answer) expect([answer.status, answer.code]).toEqual([413, 'body-too-large']);
    expect(sent).toBeLessThan(4 * MAX_BYTES);
    await expectNothing();
  });

  test('that is slow or stops is ended, and gives its place back', async () => {
    const slow = raw('content-length: 1000000\r\n', ['x', 'y']);
    const stopped = raw('content-length: 1000000\r\n', []);
    for (const answer of await Promise.all([slow, stopped])) expect(answer).toMatch(/^HTTP\/1.1 408 /);
    await expectNothing();
  });

  test('many at a time are refused beyond a bound', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => raw('content-length: 1000000\r\n', [])),
    );
    const statuses = answers.map((a) => a.slice(9, 12));
    expect(statuses.filter((s) => s === '429')).toHaveLength(6);
    expect(statuses.filter((s) => s === '408')).toHaveLength(6);
    await expectNothing();
  });
});

/** A PUT over a bare socket that sends its pieces, one every half second, and then nothing. @returns the answer */
async function raw(headers: string, pieces: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `PUT /v1/sessions/${session}/frames/0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n${headers}\r\n`,
  );
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString();
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    await new Promise((done) => setTimeout(done, 500));
    socket.write(piece);
  }
  await closed;
  return answer;
}
