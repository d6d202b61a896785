import type { Readable } from 'node:stream';

/**
 * Where pictures, snapshots, models and cached renders are: a folder, or any S3-compatible store. Keys are paths of
 * letters, digits, '.', '_' and '-' between slashes. An object appears whole or not at all, and is durable once `put`
 * has resolved.
 */
export interface ObjectStore {
  /** Writes an object, replacing one of that key. */
  put(key: string, content: Uint8Array | readonly Uint8Array[] | Readable): Promise<void>;
  /** Reads `length` bytes (default: all) from `offset` on. @throws ImplicamError `object-missing` */
  read(key: string, offset?: number, length?: number): Promise<Buffer>;
  /**
   * The object as a stream: `length` bytes (default: all) from `offset` on.
   *
   * @throws ImplicamError `object-missing`, before the stream is returned
   */
  stream(key: string, offset?: number, length?: number): Promise<Readable>;
  /** Size in bytes; undefined where there is none. */
  size(key: string): Promise<number | undefined>;
  /** Keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<string[]>;
  /** Deletes objects by their keys; missing ones are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes all objects whose keys begin with the prefix; none is no error. */
  deletePrefix(prefix: string): Promise<void>;
}

const KEY = /^[\w.-]+(\/[\w.-]+)*$/;

/** Refuses what could leave the store: `..`, absolute paths, odd characters. */
export function isObjectKey(key: string): boolean {
  return KEY.test(key) && key.length <= 512 && !key.split('/').some((part) => /^\.+$/.test(part));
}
