import { join, resolve } from 'node:path';
import { isS3Location } from '../../store/s3/location.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where everything is kept that has no place of its own: IMPLICAM_DATA, else ./data. */
export function dataFolder(env: Environment = process.env): string {
  return resolve(env.IMPLICAM_DATA ?? 'data');
}

export interface StoreFlags {
  /** A folder, or s3://… as `openStore` takes it. */
  readonly store?: string;
  /** Folder of everything that is kept. */
  readonly data?: string;
}

/** Location of the object store: what flags name, else IMPLICAM_STORE, else a folder below the data folder. */
export function storeLocation({ store, data }: StoreFlags = {}, env: Environment = process.env): string {
  const named = store ?? (data === undefined ? env.IMPLICAM_STORE : undefined);
  if (named) return isS3Location(named) ? named : resolve(named);
  return join(data ?? dataFolder(env), 'objects');
}
