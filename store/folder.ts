import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assert, ImplicamError } from '../model/errors.js';
import { isObjectKey, type ObjectStore } from './objects.js';

/** Files being written; a name that no key can have. */
const TEMPORARY = '.part-';

/** Objects as files of a folder: written beside their place, synced, renamed. */
export function createFolderStore(root: string): ObjectStore {
  const pathOf = (key: string) => {
    assert(isObjectKey(key), `'${key}' is no object key`);
    return join(root, key);
  };
  return {
    async put(key, content) {
      const path = pathOf(key);
      // Writers share folders from containers of which each is process 1, and several may write the same key.
      const part = join(root, `${TEMPORARY}${randomUUID()}`);
      await mkdir(dirname(path), { recursive: true });
      try {
        await pipeline(asStream(content), createWriteStream(part, { flush: true }));
        await rename(part, path);
      } catch (cause) {
        await rm(part, { force: true });
        if (cause instanceof ImplicamError) throw cause;
        throw failure(`cannot write ${path}`, cause);
      }
      await syncFolder(dirname(path));
    },
    async read(key, offset = 0, length) {
      const path = pathOf(key);
      let file: FileHandle | undefined;
      try {
        file = await open(path);
        const bytes = Buffer.alloc(length ?? Math.max(0, (await file.stat()).size - offset));
        for (let at = 0; at < bytes.length; ) {
          // One call moves at most 2 GiB.
          const { bytesRead } = await file.read(bytes, at, Math.min(2 ** 30, bytes.length - at), offset + at);
          if (bytesRead === 0) throw new Error('it is shorter than expected');
          at += bytesRead;
        }
        return bytes;
      } catch (cause) {
        throw missing(key, cause);
      } finally {
        await file?.close();
      }
    },
    async stream(key, offset = 0, length) {
      const path = pathOf(key);
      if (!(await stat(path).catch(() => undefined))) throw missing(key, undefined);
      if (length === 0) return Readable.from([]);
      return createReadStream(path, { start: offset, ...(length ? { end: offset + length - 1 } : {}) });
    },
    async size(key) {
      const found = await stat(pathOf(key)).catch(() => undefined);
      return found?.isFile() ? found.size : undefined;
    },
    async list(prefix) {
      // What is beside the prefix's folder need not be looked at.
      const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
      const found = await readdir(folder ? pathOf(folder) : root, {
        recursive: true,
        withFileTypes: true,
      }).catch(() => []);
      return found
        .filter((e) => e.isFile() && !e.name.startsWith(TEMPORARY))
        .map((e) => join(e.parentPath, e.name).slice(root.length).replace(/^\/+/, ''))
        .filter((key) => key.startsWith(prefix))
        .sort();
    },
    async delete(keys) {
      for (const key of keys) await rm(pathOf(key), { force: true });
    },
    async deletePrefix(prefix) {
      if (prefix.endsWith('/')) {
        await rm(pathOf(prefix.slice(0, -1)), { recursive: true, force: true });
        return;
      }
      for (const key of await this.list(prefix)) await unlink(pathOf(key)).catch(() => undefined);
    },
  };
}

function asStream(content: Uint8Array | readonly Uint8Array[] | Readable): Readable {
  if (content instanceof Readable) return content;
  return Readable.from(content instanceof Uint8Array ? [content] : content);
}

/** A renamed file survives a power cut only once its folder is on the disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function failure(what: string, cause: unknown): ImplicamError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImplicamError('store-failed', `${what}: ${why}`, { status: 503, cause });
}

function missing(key: string, cause: unknown): ImplicamError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (cause !== undefined && code !== 'ENOENT' && code !== 'EISDIR') {
    return failure(`cannot read ${key} of the object store`, cause);
  }
  return new ImplicamError('object-missing', `the object store has no ${key}`, { status: 404, cause });
}
