import { createFolderStore } from './folder.js';
import type { ObjectStore } from './objects.js';
import { isS3Location, readS3Location, type StoreEnvironment } from './s3/location.js';
import { createS3Store } from './s3/s3.js';

/**
 * The object store of a location: a folder's path, or s3://BUCKET/PREFIX?endpoint=URL&region=REGION.
 *
 * @param env where the credentials of S3 are
 * @throws ImplicamError `store-location`
 */
export function openStore(location: string, env: StoreEnvironment = process.env): ObjectStore {
  return isS3Location(location) ? createS3Store(readS3Location(location, env)) : createFolderStore(location);
}

/** Asks the store for something that there is not, to learn whether it answers. @throws ImplicamError `store-failed` */
export async function checkStore(store: ObjectStore): Promise<void> {
  await store.list('readiness-probe/');
}
