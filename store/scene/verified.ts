import { createHash } from 'node:crypto';
import { ImplicamError } from '../../model/errors.js';
import type { ObjectStore } from '../objects.js';
import type { StoredPiece } from './keys.js';

/** Writes an object and says what whoever reads it must find. */
export async function putPiece(
  store: ObjectStore,
  shard: number,
  key: string,
  bytes: Uint8Array,
): Promise<StoredPiece> {
  await store.put(key, bytes);
  return { shard, key, sha256: sha256Of(bytes), bytes: bytes.length };
}

/**
 * Reads an object that must be what was written. One that is not is read once more: the mistake may have happened on the
 * way, not where it lies.
 *
 * @throws ImplicamError `object-damaged` where it is missing or of another content, `store-failed`
 */
export async function readPiece(store: ObjectStore, piece: StoredPiece): Promise<Buffer> {
  const first = await readOnce(store, piece);
  const found = typeof first === 'string' ? await readOnce(store, piece) : first;
  if (typeof found !== 'string') return found;
  throw new ImplicamError('object-damaged', `${piece.key} of the object store ${found}`, { status: 500 });
}

/** The content, or what is wrong with it. */
async function readOnce(store: ObjectStore, { key, sha256, bytes }: StoredPiece): Promise<Buffer | string> {
  try {
    const found = await store.read(key);
    if (found.length !== bytes) return `has ${found.length} bytes instead of ${bytes}`;
    return sha256Of(found) === sha256 ? found : 'is not what was written: its checksum is another';
  } catch (error) {
    if ((error as ImplicamError).code === 'object-missing') return 'is missing';
    throw error;
  }
}

/** SHA-256, hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
