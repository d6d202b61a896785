import { join, resolve } from 'node:path';

/** Where everything is kept that has no place of its own: IMPLICAM_DATA, else ./data. */
export function dataFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return resolve(env.IMPLICAM_DATA ?? 'data');
}

/** Location of the object store: a folder below the data folder that flags, environment or default name. */
export function storeLocation({ data }: { readonly data?: string } = {}): string {
  return join(data ?? dataFolder(), 'objects');
}
