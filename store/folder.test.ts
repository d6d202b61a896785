import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderStore } from './folder.js';
import { isObjectKey, type ObjectStore } from './objects.js';

let root: string;
let store: ObjectStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'implicam-store-'));
  store = createFolderStore(root);
});
afterEach(() => rmSync(root, { recursive: true }));

describe('folder store', () => {
  it('gives back what was put, whole or in parts', async () => {
    await store.put('a/b.bin', Buffer.from('hello world'));
    expect((await store.read('a/b.bin')).toString()).toBe('hello world');
    expect((await store.read('a/b.bin', 6, 3)).toString()).toBe('wor');
    expect(await text(await store.stream('a/b.bin'))).toBe('hello world');
    expect(await store.size('a/b.bin')).toBe(11);
    await store.put('a/b.bin', [Buffer.from('x'), Buffer.from('yz')]);
    expect((await store.read('a/b.bin')).toString()).toBe('xyz');
  });

  it('says what is missing or too short', async () => {
    await expect(store.read('none')).rejects.toMatchObject({ code: 'object-missing' });
    await expect(store.stream('none')).rejects.toMatchObject({ code: 'object-missing' });
    expect(await store.size('none')).toBeUndefined();
    await store.put('short', Buffer.from('abc'));
    await expect(store.read('short', 0, 4)).rejects.toMatchObject({ code: 'store-failed' });
  });

  it('leaves the old object when a new one breaks off', async () => {
    await store.put('k', Buffer.from('old'));
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('new');
        throw new Error('cable cut');
      })(),
    );
    await expect(store.put('k', broken)).rejects.toThrow('cable cut');
    expect((await store.read('k')).toString()).toBe('old');
    expect(await store.list('')).toEqual(['k']);
  });

  it('is one of several that write to the same folder at a time', async () => {
    const stores = [store, createFolderStore(root), createFolderStore(root)];
    const writes = stores.flatMap((one, i) =>
      Array.from({ length: 8 }, (_, k) => {
        const content = Array.from({ length: 20 }, () => Buffer.alloc(5000, 8 * i + k));
        return one.put(`${i}/${k}`, content);
      }),
    );
    await Promise.all(writes);
    for (let i = 0; i < stores.length; i++) {
      for (let k = 0; k < 8; k++) {
        expect(await store.read(`${i}/${k}`)).toEqual(Buffer.alloc(100_000, 8 * i + k));
      }
    }
  });

  it('lists and deletes by prefix', async () => {
    for (const key of ['s/1/a', 's/1/b', 's/10/a', 't']) await store.put(key, Buffer.from(key));
    expect(await store.list('s/1/')).toEqual(['s/1/a', 's/1/b']);
    await store.deletePrefix('s/1/');
    expect(await store.list('')).toEqual(['s/10/a', 't']);
    await store.deletePrefix('nothing/');
  });

  it('keeps to its folder', async () => {
    for (const key of ['../x', 'a/../../x', '/etc/passwd', '', 'a//b', './a', 'a b']) {
      expect(isObjectKey(key), key).toBe(false);
      await expect(store.read(key)).rejects.toThrow();
    }
  });
});
