import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isObjectKey, type ObjectStore } from '../../store/objects.js';
import { checkStore, openStore } from '../../store/open.js';
import { readS3Location } from '../../store/s3/location.js';
import { createS3Store } from '../../store/s3/s3.js';
import { testS3 } from './s3-server.js';

/** What holds of every object store. */

interface Kind {
  readonly name: string;
  /** Another opening of the same objects each time. */
  begin(): Promise<{ open: () => ObjectStore; end: () => Promise<void> }>;
}

const kinds: Kind[] = [
  {
    name: 'folder',
    async begin() {
      const root = mkdtempSync(join(tmpdir(), 'implicam-store-'));
      return { open: () => openStore(root), end: async () => rmSync(root, { recursive: true }) };
    },
  },
  {
    name: 'S3',
    async begin() {
      const server = await testS3();
      return { open: () => openStore(server.location, server.env), end: () => server.close() };
    },
  },
  {
    name: 'S3 in small parts and pages',
    async begin() {
      const server = await testS3();
      const place = readS3Location(`s3://${server.bucket}?endpoint=${server.endpoint}`, server.env);
      return { open: () => createS3Store(place, { partBytes: 64, pageKeys: 5 }), end: () => server.close() };
    },
  },
];

describe.each(kinds)('object store: $name', ({ begin }) => {
  let open: () => ObjectStore;
  let end: () => Promise<void>;
  let store: ObjectStore;
  beforeAll(async () => {
    ({ open, end } = await begin());
    store = open();
  });
  beforeEach(() => store.deletePrefix(''));
  afterAll(() => end());

  it('gives back what was put, whole or in parts', async () => {
    await store.put('a/b.bin', Buffer.from('hello world'));
    expect((await store.read('a/b.bin')).toString()).toBe('hello world');
    expect((await store.read('a/b.bin', 6, 3)).toString()).toBe('wor');
    expect((await store.read('a/b.bin', 6)).toString()).toBe('world');
    expect(await text(await store.stream('a/b.bin'))).toBe('hello world');
    expect(await text(await store.stream('a/b.bin', 2, 7))).toBe('llo wor');
    expect(await store.size('a/b.bin')).toBe(11);
    await store.put('a/b.bin', [Buffer.from('x'), Buffer.from('yz')]);
    expect((await store.read('a/b.bin')).toString()).toBe('xyz');
    await store.put('a/b.bin', Readable.from([Buffer.from('from a '), Buffer.from('stream')]));
    expect((await store.read('a/b.bin')).toString()).toBe('from a stream');
  });

  it('keeps what is empty', async () => {
    for (const nothing of [Buffer.alloc(0), [], Readable.from([])]) {
      await store.put('empty', nothing);
      expect(await store.size('empty')).toBe(0);
      expect(await store.read('empty')).toHaveLength(0);
      expect(await text(await store.stream('empty'))).toBe('');
    }
    await store.put('some', Buffer.from('some'));
    expect(await store.read('some', 2, 0)).toHaveLength(0);
    expect(await store.read('some', 4)).toHaveLength(0);
    expect(await text(await store.stream('some', 0, 0))).toBe('');
  });

  it('says what is missing or too short', async () => {
    const missing = { code: 'object-missing', status: 404 };
    await expect(store.read('none')).rejects.toMatchObject(missing);
    await expect(store.read('none', 1, 2)).rejects.toMatchObject(missing);
    await expect(store.stream('none')).rejects.toMatchObject(missing);
    expect(await store.size('none')).toBeUndefined();
    await store.put('short', Buffer.from('abc'));
    await expect(store.read('short', 0, 4)).rejects.toMatchObject({ code: 'store-failed' });
    await expect(store.read('short', 9, 4)).rejects.toMatchObject({ code: 'store-failed' });
    // A folder of objects is no object.
    await store.put('folder/object', Buffer.from('x'));
    expect(await store.size('folder')).toBeUndefined();
    await expect(store.read('folder')).rejects.toMatchObject(missing);
  });

  it('leaves the old object when a new one breaks off', async () => {
    await store.put('k', Buffer.from('old'));
    for (const length of [3, 100]) {
      const broken = Readable.from(
        (function* () {
          yield Buffer.alloc(length, 'new');
          throw new Error('cable cut');
        })(),
      );
      await expect(store.put('k', broken)).rejects.toThrow('cable cut');
      expect((await store.read('k')).toString()).toBe('old');
      expect(await store.list('')).toEqual(['k']);
      expect(broken.destroyed).toBe(true);
    }
  });

  it('has several that write to it at a time', async () => {
    const stores = [store, open(), open()];
    const writes = stores.flatMap((one, i) =>
      Array.from({ length: 6 }, (_, k) => {
        const content = Array.from({ length: 20 }, () => Buffer.alloc(20, 8 * i + k));
        return one.put(`${i}/${k}`, content);
      }),
    );
    await Promise.all(writes);
    for (let i = 0; i < stores.length; i++) {
      for (let k = 0; k < 6; k++) {
        expect(await store.read(`${i}/${k}`)).toEqual(Buffer.alloc(400, 8 * i + k));
      }
    }
  });

  it('lists and deletes by prefix', async () => {
    for (const key of ['s/1/a', 's/1/b', 's/10/a', 't']) await store.put(key, Buffer.from(key));
    expect(await store.list('s/1/')).toEqual(['s/1/a', 's/1/b']);
    expect(await store.list('s/1')).toEqual(['s/1/a', 's/1/b', 's/10/a']);
    expect(await store.list('s/2/')).toEqual([]);
    await store.deletePrefix('s/1/');
    expect(await store.list('')).toEqual(['s/10/a', 't']);
    await store.deletePrefix('nothing/');
    await store.delete(['t', 'nothing']);
    await store.deletePrefix('s/1');
    expect(await store.list('')).toEqual([]);
    await checkStore(store);

    const keys = Array.from({ length: 23 }, (_, i) => `many/${String(i).padStart(2, '0')}`);
    for (const key of keys) await store.put(key, Buffer.alloc(1));
    expect(await store.list('many/')).toEqual(keys);
    await store.delete(keys.slice(0, 11));
    expect(await store.list('many/')).toEqual(keys.slice(11));
    await store.deletePrefix('many/');
    expect(await store.list('')).toEqual([]);
  });

  it('keeps to itself', async () => {
    for (const key of ['../x', 'a/../../x', '/etc/passwd', '', 'a//b', './a', 'a b', 'a?b', 'a#b', 'a%2e']) {
      expect(isObjectKey(key), key).toBe(false);
      await expect(store.read(key)).rejects.toThrow('is no object key');
      await expect(store.put(key, Buffer.alloc(1))).rejects.toThrow('is no object key');
      await expect(store.size(key)).rejects.toThrow('is no object key');
      await expect(store.delete([key])).rejects.toThrow('is no object key');
    }
  });

  it('is a map of keys to bytes, whatever is done with it', async () => {
    const key = fc.constantFrom('map', 'of/c', 'of/d', 'of/d.e');
    const bytes = fc.uint8Array({ maxLength: 200 });
    const deed = fc.oneof(
      fc.record({ does: fc.constant('put' as const), key, bytes, in: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ does: fc.constant('delete' as const), key }),
      fc.record({ does: fc.constant('read' as const), key, from: fc.nat(200), to: fc.nat(200) }),
      fc.record({ does: fc.constant('deletePrefix' as const), key: fc.constantFrom('of/', 'of/d', 'map') }),
    );
    const property = fc.asyncProperty(fc.array(deed, { maxLength: 15 }), async (deeds) => {
      await store.deletePrefix('');
      const truth = new Map<string, Buffer>();
      for (const one of deeds) {
        if (one.does === 'put') {
          const size = Math.ceil(one.bytes.length / one.in) || 1;
          const pieces = Array.from({ length: one.in }, (_, i) =>
            one.bytes.subarray(i * size, (i + 1) * size),
          );
          await store.put(one.key, one.in === 5 ? Readable.from(pieces.map((p) => Buffer.from(p))) : pieces);
          truth.set(one.key, Buffer.from(one.bytes));
        } else if (one.does === 'delete') {
          await store.delete([one.key]);
          truth.delete(one.key);
        } else if (one.does === 'deletePrefix') {
          await store.deletePrefix(one.key);
          for (const k of [...truth.keys()]) if (k.startsWith(one.key)) truth.delete(k);
        } else {
          const there = truth.get(one.key);
          expect(await store.size(one.key)).toBe(there?.length);
          if (!there) continue;
          expect(await store.read(one.key)).toEqual(there);
          const from = Math.min(one.from, there.length);
          const length = Math.min(one.to, there.length - from);
          expect(await store.read(one.key, from, length)).toEqual(there.subarray(from, from + length));
          expect(await buffer(await store.stream(one.key, from, length))).toEqual(
            there.subarray(from, from + length),
          );
        }
      }
      expect(await store.list('')).toEqual([...truth.keys()].sort());
    });
    await fc.assert(property, { numRuns: 12, seed: 7 });
  });

  it('takes and gives objects of many pieces', async () => {
    const large = Buffer.alloc(2_000, 'many pieces ');
    await store.put('large', Readable.from(large, { objectMode: false, highWaterMark: 999 }));
    expect((await store.read('large')).equals(large)).toBe(true);
    expect((await buffer(await store.stream('large'))).equals(large)).toBe(true);
    expect((await store.read('large', 777, 1_111)).equals(large.subarray(777, 777 + 1_111))).toBe(true);
  });
});
