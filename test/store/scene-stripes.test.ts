import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPlanes } from '../../runner/scenes/planes.js';
import { createFolderStore } from '../../store/folder.js';
import type { ObjectStore } from '../../store/objects.js';
import { openStore } from '../../store/open.js';
import { coveringStripes, putStriped, STRIPE_BYTES, type Striped } from '../../store/scene/stripes.js';
import { testS3 } from './s3-server.js';

/** Prepared scenes are read in parts, and every part is checked. */

const [WIDTH, HEIGHT] = [1201, 1500];
const KEY = 'sessions/s/scene/frame-0.raw';

/** Numbers that are nowhere the same over a stripe. */
const content = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i * 2_654_435_761) >>> 13);

const kinds = {
  async folder() {
    const root = mkdtempSync(join(tmpdir(), 'implicam-stripes-'));
    return { store: createFolderStore(root), end: async () => rmSync(root, { recursive: true }) };
  },
  async S3() {
    const server = await testS3();
    return { store: openStore(server.location, server.env), end: () => server.close() };
  },
};

test('stripes cover spans and no more', () => {
  const byte = fc.nat(20 * STRIPE_BYTES);
  fc.assert(
    fc.property(fc.array(fc.tuple(byte, byte), { maxLength: 12 }), (pairs) => {
      const spans = pairs.map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
      const runs = coveringStripes(spans);
      for (const [i, { from, to }] of runs.entries()) {
        expect([from % STRIPE_BYTES, to % STRIPE_BYTES]).toEqual([0, 0]);
        if (i > 0) expect(from).toBeGreaterThan(runs[i - 1].to);
        for (let at = from; at < to; at += STRIPE_BYTES) {
          const needed = spans.some((s) => s.from < s.to && s.from < at + STRIPE_BYTES && s.to > at);
          expect(needed, `stripe ${at / STRIPE_BYTES}`).toBe(true);
        }
      }
      for (const span of spans.filter((s) => s.from < s.to)) {
        expect(runs.some(({ from, to }) => from <= span.from && span.to <= to)).toBe(true);
      }
    }),
  );
});

describe.each(Object.entries(kinds))('a scene in a store: %s', (_, begin) => {
  let store: ObjectStore;
  let end: () => Promise<void>;
  const whole = content(3 * WIDTH * HEIGHT);
  let striped: Striped;

  beforeAll(async () => {
    ({ store, end } = await begin());
    striped = await putStriped(store, KEY, whole);
    expect(striped.sha256).toHaveLength(6);
  });
  afterAll(() => end());

  const shape = { width: WIDTH, height: HEIGHT, channels: 3 };
  const read = async (from: ObjectStore, rect: { x: number; y: number; width: number; height: number }) => {
    const out = new Uint8Array(whole.length);
    await readPlanes(from, KEY, striped, out, shape, [rect]);
    return out;
  };
  const rows = (y: number, height: number) => ({ x: 0, y, width: WIDTH, height });

  test('only what was asked for is filled in, whatever its shape', async () => {
    const side = fc.integer({ min: 1, max: 700 });
    const pixels = fc.record({ width: side, height: side, channels: fc.constantFrom(1, 3) });
    const numbers = fc.constantFrom(Uint8Array, Uint16Array, Float32Array);
    const part = fc.tuple(...Array.from({ length: 4 }, () => fc.double({ min: 0, max: 1, noNaN: true })));
    await fc.assert(
      fc.asyncProperty(
        pixels,
        numbers,
        fc.integer({ min: 1, max: 3 }),
        fc.array(part, { maxLength: 3 }),
        async (picture, Numbers, planes, parts) => {
          const { width, height, channels } = picture;
          const length = planes * width * height * channels;
          const bytes = content(length * Numbers.BYTES_PER_ELEMENT);
          const written = await putStriped(store, 'sessions/s/scene/any.raw', bytes);
          const rects = parts.map(([x, y, w, h]) => {
            const [left, top] = [Math.floor(x * width), Math.floor(y * height)];
            return {
              x: left,
              y: top,
              width: Math.floor(w * (width - left + 1)),
              height: Math.floor(h * (height - top + 1)),
            };
          });
          const out = new Numbers(length);
          await readPlanes(store, 'sessions/s/scene/any.raw', written, out, picture, rects);
          const expected = new Uint8Array(bytes.length);
          const pixel = channels * Numbers.BYTES_PER_ELEMENT;
          for (const { x, y, width: w, height: h } of rects) {
            for (let row = y; row < y + h; row++) {
              for (let plane = 0; plane < planes; plane++) {
                const from = ((plane * height + row) * width + x) * pixel;
                expected.set(bytes.subarray(from, from + w * pixel), from);
              }
            }
          }
          expect(Buffer.compare(Buffer.from(out.buffer), expected)).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('few rows take few stripes', async () => {
    let asked = 0;
    const counting = {
      ...store,
      read: (key: string, offset?: number, length?: number) => {
        asked += length!;
        return store.read(key, offset, length);
      },
    };
    await read(counting, { x: 500, y: 400, width: 30, height: 20 });
    expect(asked).toBe(STRIPE_BYTES);
    asked = 0;
    await read(counting, rows(0, HEIGHT));
    expect(asked).toBe(whole.length);
  });

  test('a bit that is another is found where it is read, and nowhere else', async () => {
    const damaged = whole.slice();
    const at = 4 * STRIPE_BYTES + 12_345;
    damaged[at] ^= 4;
    await store.put(KEY, damaged);
    const row = Math.floor(at / (3 * WIDTH));
    // Not even within the rectangle that was asked for: the whole stripe must be what was written.
    await expect(read(store, { x: 0, y: row + 5, width: 1, height: 1 })).rejects.toMatchObject({
      code: 'scene-damaged',
      message: expect.stringMatching(`${KEY} .* checksum of its bytes from ${4 * STRIPE_BYTES} to`),
    });
    await expect(read(store, rows(0, 1000))).resolves.toBeDefined();
    await store.put(KEY, whole);
  });

  test('a mistake on the way is read once more', async () => {
    let mistakes = 1;
    const unsteady = {
      ...store,
      async read(key: string, offset?: number, length?: number) {
        const bytes = await store.read(key, offset, length);
        if (mistakes-- > 0) bytes[7] ^= 1;
        return bytes;
      },
    };
    expect(Buffer.compare(await read(unsteady, rows(0, HEIGHT)), whole)).toBe(0);
    mistakes = 2;
    await expect(read(unsteady, rows(0, HEIGHT))).rejects.toMatchObject({ code: 'scene-damaged' });
  });

  test('objects that are too short or missing are damaged, a store that is away is not', async () => {
    await store.put(KEY, whole.subarray(0, whole.length - 1));
    await expect(read(store, rows(HEIGHT - 1, 1))).rejects.toMatchObject({
      code: 'scene-damaged',
      message: expect.stringContaining(`has ${whole.length - 1} bytes instead of ${whole.length}`),
    });
    await store.put(KEY, whole.subarray(0, 10));
    await expect(read(store, rows(HEIGHT - 1, 1))).rejects.toMatchObject({ code: 'scene-damaged' });
    await store.delete([KEY]);
    await expect(read(store, rows(3, 1))).rejects.toMatchObject({
      code: 'scene-damaged',
      message: expect.stringContaining('is missing'),
    });
    await store.put(KEY, whole);
    const away = Object.assign(new Error('no way there'), { code: 'store-failed' });
    const absent = { ...store, read: () => Promise.reject(away), size: () => Promise.reject(away) };
    await expect(read(absent, rows(3, 1))).rejects.toBe(away);
  });
});
