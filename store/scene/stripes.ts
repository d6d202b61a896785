import { z } from 'zod';
import { assert, ImplicamError } from '../../model/errors.js';
import type { ObjectStore } from '../objects.js';
import { sha256Schema } from './keys.js';
import { sha256Of } from './verified.js';

/**
 * Objects of a prepared scene are read in parts, and checked all the same: each has one checksum for every stripe of this many
 * bytes from its beginning on, the last stripe being what is left. Whoever reads takes whole stripes.
 */
export const STRIPE_BYTES = 2 ** 20;

/** Stripes that are read at once: this many are in memory at a time. */
const AT_ONCE = 8;

/** What the content of an object must be. */
export const stripedSchema = z
  .object({ bytes: z.int().min(0), sha256: z.array(sha256Schema) })
  .refine(({ bytes, sha256 }) => sha256.length === Math.ceil(bytes / STRIPE_BYTES), {
    message: 'there is not one checksum a stripe',
  });

export type Striped = z.output<typeof stripedSchema>;

/** Bytes [from, to) of an object. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Writes an object and says what whoever reads parts of it must find. */
export async function putStriped(store: ObjectStore, key: string, content: Uint8Array): Promise<Striped> {
  const sha256: string[] = [];
  for (let at = 0; at < content.length; at += STRIPE_BYTES) {
    sha256.push(sha256Of(content.subarray(at, at + STRIPE_BYTES)));
  }
  await store.put(key, content);
  return { bytes: content.length, sha256 };
}

/**
 * Reads the stripes that cover some spans of an object, in order and each once, a few at a time. What is not what was written
 * is read once more: the mistake may have happened on the way, not where it lies.
 *
 * @param spans in any order, may overlap
 * @throws ImplicamError `scene-damaged`, naming the object; `store-failed`
 */
export async function* readStripes(
  store: ObjectStore,
  key: string,
  striped: Striped,
  spans: readonly Span[],
): AsyncGenerator<{ readonly offset: number; readonly bytes: Buffer }> {
  for (const { from, to } of coveringStripes(spans)) {
    assert(from >= 0 && from < striped.bytes, `${key} has no byte ${from}`);
    const end = Math.min(to, striped.bytes);
    for (let at = from; at < end; at += AT_ONCE * STRIPE_BYTES) {
      const part = { from: at, to: Math.min(at + AT_ONCE * STRIPE_BYTES, end) };
      yield { offset: at, bytes: await readChecked(store, key, striped, part) };
    }
  }
}

/** Runs of whole stripes that cover all spans, in order, apart from each other. */
export function coveringStripes(spans: readonly Span[]): Span[] {
  const runs: { from: number; to: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    if (span.from >= span.to) continue;
    const from = Math.floor(span.from / STRIPE_BYTES) * STRIPE_BYTES;
    const to = Math.ceil(span.to / STRIPE_BYTES) * STRIPE_BYTES;
    const last = runs.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else runs.push({ from, to });
  }
  return runs;
}

async function readChecked(store: ObjectStore, key: string, striped: Striped, span: Span): Promise<Buffer> {
  const first = await readOnce(store, key, striped, span);
  const found = typeof first === 'string' ? await readOnce(store, key, striped, span) : first;
  if (typeof found !== 'string') return found;
  const message = `${key} of the object store ${found}: the prepared scene is damaged, train the session anew`;
  throw new ImplicamError('scene-damaged', message, { status: 500 });
}

/** The bytes, or what is wrong with them. */
async function readOnce(
  store: ObjectStore,
  key: string,
  { bytes: size, sha256 }: Striped,
  { from, to }: Span,
): Promise<Buffer | string> {
  let found: Buffer;
  try {
    found = await store.read(key, from, to - from);
  } catch (error) {
    if ((error as ImplicamError).code === 'object-missing') return 'is missing';
    // Stores do not tell that an object is too short from that they are away.
    const there = await store.size(key).catch(() => size);
    if (there === size) throw error;
    return there === undefined ? 'is missing' : `has ${there} bytes instead of ${size}`;
  }
  for (let at = from; at < to; at += STRIPE_BYTES) {
    const end = Math.min(at + STRIPE_BYTES, to);
    if (sha256Of(found.subarray(at - from, end - from)) === sha256[at / STRIPE_BYTES]) continue;
    return `is not what was written: the checksum of its bytes from ${at} to ${end} is another`;
  }
  return found;
}
