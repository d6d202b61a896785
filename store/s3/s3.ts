import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { assert, ImplicamError } from '../../model/errors.js';
import { isObjectKey, type ObjectStore } from '../objects.js';
import { type S3Answer, S3Client, type S3ClientOptions } from './client.js';
import type { S3Place } from './location.js';
import { writeParts } from './parts.js';
import { element, field, textOf, textsOf } from './xml.js';

export interface S3StoreOptions extends S3ClientOptions {
  /** Bytes of a request: larger objects are written and read in parts. At least 5 MiB. @default 8 MiB */
  readonly partBytes?: number;
  /** Keys of a page of a listing, and of one request to delete. @default 1000, the most that there may be */
  readonly pageKeys?: number;
}

/** Parts of one object that are under way at a time. */
const PARTS_AT_A_TIME = 3;
/** Pieces of a stream: one is read ahead, so that twice this is in memory for each that is open. */
const STREAM_BYTES = 4 * 2 ** 20;
/** Fewer than these are deleted one by one. */
const FEW = 4;

/**
 * Objects of an S3-compatible store. An object that is replaced while it is read is noticed, and never mixed.
 *
 * An upload of parts that broke off is given up; where even that fails (the process died) its parts stay until the
 * bucket's own rule removes incomplete uploads.
 */
export function createS3Store(place: S3Place, options: S3StoreOptions = {}): ObjectStore {
  const { partBytes = 8 * 2 ** 20, pageKeys = 1000, ...clientOptions } = options;
  const client = new S3Client(place, clientOptions);

  return {
    async put(key, content) {
      assert(isObjectKey(key), `'${key}' is no object key`);
      try {
        await writeParts(client, key, content, { partBytes, atATime: PARTS_AT_A_TIME });
      } catch (cause) {
        if (cause instanceof ImplicamError) throw cause;
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new ImplicamError('store-failed', `cannot write ${key}: ${why}`, { status: 503, cause });
      }
    },

    async read(key, offset = 0, length) {
      const first = await readFirst(client, key, offset, length, partBytes);
      if (length !== undefined && first.total < length) throw short(key);
      if (first.bytes.length === first.total) return first.bytes;
      const whole = Buffer.allocUnsafe(first.total);
      whole.set(first.bytes);
      let at = first.bytes.length;
      const worker = async () => {
        while (at < whole.length) {
          const from = at;
          at += partBytes;
          const count = Math.min(partBytes, whole.length - from);
          whole.set(await readRange(client, key, offset + from, count, first.etag), from);
        }
      };
      await Promise.all(Array.from({ length: PARTS_AT_A_TIME }, worker));
      return whole;
    },

    async stream(key, offset = 0, length) {
      const first = await readFirst(client, key, offset, length, STREAM_BYTES);
      return Readable.from(following(client, key, offset, first), { objectMode: false });
    },

    async size(key) {
      assert(isObjectKey(key), `'${key}' is no object key`);
      const { status, headers } = await client.ask({ method: 'HEAD', key, accept: [404] });
      return status === 404 ? undefined : Number(headers.get('content-length'));
    },

    async list(prefix) {
      const keys: string[] = [];
      for await (const page of pages(client, prefix, pageKeys)) keys.push(...page);
      return keys.sort();
    },

    async delete(keys) {
      for (const key of keys) assert(isObjectKey(key), `'${key}' is no object key`);
      await deleteKeys(client, keys, pageKeys);
    },

    async deletePrefix(prefix) {
      for await (const page of pages(client, prefix, pageKeys)) await deleteKeys(client, page, pageKeys);
    },
  };
}

interface FirstPiece {
  readonly bytes: Buffer;
  /** Bytes of all that was asked for and is there, these included. */
  readonly total: number;
  readonly etag: string | null;
}

/** The first `most` bytes of what is asked for, and how much it is. @throws ImplicamError `object-missing` */
async function readFirst(
  client: S3Client,
  key: string,
  offset: number,
  length: number | undefined,
  most: number,
): Promise<FirstPiece> {
  assert(isObjectKey(key), `'${key}' is no object key`);
  if (length === 0) {
    await client.ask({ method: 'HEAD', key });
    return { bytes: Buffer.alloc(0), total: 0, etag: null };
  }
  // A whole object is asked for without a range, which an empty one would not have.
  const ranged = offset > 0 || length !== undefined;
  const last = offset + Math.min(most, length ?? most) - 1;
  const headers: Record<string, string> = ranged ? { range: `bytes=${offset}-${last}` } : {};
  const answer = await client.ask({ method: 'GET', key, headers, accept: [416] }, most);
  const { status, bytes } = answer;
  if (status === 416) return { bytes: Buffer.alloc(0), total: 0, etag: null };
  const there = sizeOf(answer, key) - offset;
  return { bytes, total: Math.min(there, length ?? there), etag: answer.headers.get('etag') };
}

/** Size of the object that an answer is of or from. */
function sizeOf({ status, headers }: S3Answer, key: string): number {
  const size =
    status === 206
      ? /^bytes \d+-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
      : headers.get('content-length');
  if (size) return Number(size);
  throw new ImplicamError('store-failed', `the object store does not say how large ${key} is`, {
    status: 503,
  });
}

async function readRange(
  client: S3Client,
  key: string,
  from: number,
  count: number,
  etag: string | null,
): Promise<Buffer> {
  const headers = { range: `bytes=${from}-${from + count - 1}`, ...(etag ? { 'if-match': etag } : {}) };
  const answer = await client.ask({ method: 'GET', key, headers }, count);
  // Stores that do not know If-Match tell by the tag all the same.
  if (answer.bytes.length === count && answer.headers.get('etag') === etag) return answer.bytes;
  throw new ImplicamError('store-failed', `${key} was replaced while it was read: read it again`, {
    status: 503,
  });
}

/** The pieces of a stream, each asked for while the one before is taken. */
async function* following(client: S3Client, key: string, offset: number, first: FirstPiece) {
  const next = (at: number): Promise<Buffer> | undefined => {
    if (at >= first.total) return undefined;
    const count = Math.min(STREAM_BYTES, first.total - at);
    const piece = readRange(client, key, offset + at, count, first.etag);
    // Nobody may be there any more to take it.
    piece.catch(() => undefined);
    return piece;
  };
  let at = first.bytes.length;
  let ahead = next(at);
  if (at > 0) yield first.bytes;
  while (ahead) {
    const piece = await ahead;
    at += piece.length;
    ahead = next(at);
    yield piece;
  }
}

/** Keys that begin with a prefix, in the order of the store. */
async function* pages(client: S3Client, prefix: string, pageKeys: number): AsyncGenerator<string[]> {
  const own = client.place.prefix;
  for (let token: string | undefined; ; ) {
    const query = {
      'list-type': '2',
      'max-keys': `${pageKeys}`,
      prefix: own + prefix,
      ...(token ? { 'continuation-token': token } : {}),
    };
    const xml = (await client.ask({ method: 'GET', query })).bytes.toString();
    yield textsOf(xml, 'Key').map((key) => key.slice(own.length));
    token = textOf(xml, 'NextContinuationToken');
    if (!token) return;
  }
}

async function deleteKeys(client: S3Client, keys: readonly string[], pageKeys: number): Promise<void> {
  if (keys.length < FEW) {
    await Promise.all(keys.map((key) => client.ask({ method: 'DELETE', key, accept: [404] })));
    return;
  }
  for (let from = 0; from < keys.length; from += pageKeys) {
    const objects = keys
      .slice(from, from + pageKeys)
      .map((key) => element('Object', field('Key', client.place.prefix + key)));
    const body = Buffer.from(element('Delete', field('Quiet', 'true'), ...objects));
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const { bytes } = await client.ask({ method: 'POST', query: { delete: '' }, headers, body });
    const [code, key] = [textOf(bytes.toString(), 'Code'), textOf(bytes.toString(), 'Key')];
    if (code) {
      throw new ImplicamError('store-failed', `the object store does not delete ${key}: ${code}`, {
        status: 503,
      });
    }
  }
}

function short(key: string): ImplicamError {
  const message = `cannot read ${key} of the object store: it is shorter than expected`;
  return new ImplicamError('store-failed', message, { status: 503 });
}
