import type { Readable } from 'node:stream';
import { ImplicamError } from '../../model/errors.js';
import type { S3Client } from './client.js';
import { element, field, textOf } from './xml.js';

/** Writing an object: in one request where it is small, else in parts that become the object together. */

type Content = Uint8Array | readonly Uint8Array[] | Readable;

/** More parts than these no object has. */
const MOST_PARTS = 10_000;

/** Tells the object that an upload made from one that was there before. */
const MARK = 'x-amz-meta-upload';

interface PartOptions {
  readonly partBytes: number;
  readonly atATime: number;
}

/** Writes an object; nothing of it is to be seen before all of it is there. @throws ImplicamError, and as the content */
export async function writeParts(
  client: S3Client,
  key: string,
  content: Content,
  { partBytes, atATime }: PartOptions,
): Promise<void> {
  const parts = partsOf(content, partBytes);
  const first = await parts.next();
  const second = await parts.next();
  if (second.done) {
    await client.ask({ method: 'PUT', key, body: first.value ?? new Uint8Array(0) });
    return;
  }
  const mark = crypto.randomUUID();
  let upload: string | undefined;
  try {
    upload = await begin(client, key, mark);
    const tags: string[] = [];
    const underWay = new Set<Promise<void>>();
    const send = async (body: Uint8Array): Promise<void> => {
      const number = tags.push('');
      if (number > MOST_PARTS) throw tooLarge(key, partBytes);
      if (underWay.size >= atATime) await Promise.race(underWay);
      const sending = sendPart(client, key, upload!, number, body).then((tag) => {
        tags[number - 1] = tag;
        underWay.delete(sending);
      });
      // Heard of by the race, or by the wait for all of them.
      sending.catch(() => undefined);
      underWay.add(sending);
    };
    await send(first.value!);
    await send(second.value);
    for await (const part of parts) await send(part);
    await Promise.all(underWay);
    await complete(client, key, upload, tags, mark);
  } catch (error) {
    await parts.return(undefined);
    if (upload) {
      const query = { uploadId: upload };
      await client.ask({ method: 'DELETE', key, query }).catch(() => undefined);
    }
    throw error;
  }
}

/** The content in pieces of `size` bytes, the last as large as is left. */
async function* partsOf(content: Content, size: number): AsyncGenerator<Uint8Array, undefined> {
  if (content instanceof Uint8Array) {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
    return;
  }
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const given of content as AsyncIterable<Uint8Array | string>) {
    let piece = typeof given === 'string' ? Buffer.from(given) : given;
    while (heldBytes + piece.length >= size) {
      const missing = size - heldBytes;
      yield Buffer.concat([...held, piece.subarray(0, missing)]);
      [held, heldBytes] = [[], 0];
      piece = piece.subarray(missing);
    }
    if (piece.length > 0) held.push(piece);
    heldBytes += piece.length;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}

async function begin(client: S3Client, key: string, mark: string): Promise<string> {
  const { bytes } = await client.ask({
    method: 'POST',
    key,
    query: { uploads: '' },
    headers: { [MARK]: mark },
  });
  const upload = textOf(bytes.toString(), 'UploadId');
  if (upload) return upload;
  throw new ImplicamError('store-failed', `the object store begins no upload of ${key}`, { status: 503 });
}

async function sendPart(
  client: S3Client,
  key: string,
  uploadId: string,
  number: number,
  body: Uint8Array,
): Promise<string> {
  const query = { partNumber: `${number}`, uploadId };
  const { headers } = await client.ask({ method: 'PUT', key, query, body });
  return headers.get('etag') ?? '';
}

async function complete(
  client: S3Client,
  key: string,
  uploadId: string,
  tags: readonly string[],
  mark: string,
): Promise<void> {
  const parts = tags.map((tag, i) => element('Part', field('PartNumber', i + 1), field('ETag', tag)));
  const body = Buffer.from(element('CompleteMultipartUpload', ...parts));
  try {
    await client.ask({ method: 'POST', key, query: { uploadId }, body });
  } catch (error) {
    // An attempt whose answer was lost may have done it: the object bears our mark then, and the upload is gone.
    const there = await client.ask({ method: 'HEAD', key, accept: [404] }).catch(() => undefined);
    if (there?.headers.get(MARK) !== mark) throw error;
  }
}

function tooLarge(key: string, partBytes: number): ImplicamError {
  const gigabytes = Math.floor((MOST_PARTS * partBytes) / 2 ** 30);
  return new ImplicamError(
    'store-failed',
    `${key} is larger than the ${gigabytes} GB that an object may have`,
    {
      status: 503,
    },
  );
}
