import { parentPort, workerData } from 'node:worker_threads';
import { ImplicamError } from '../../model/errors.js';
import { openStore } from '../../store/open.js';
import {
  type FinishedScene,
  type FinishJob,
  finishScene,
  type PrepareJob,
  prepareScene,
  type SceneEvent,
} from './jobs.js';

/** A worker thread that does one job and ends. */

export interface SceneWork {
  readonly store: string;
  readonly job: PrepareJob | FinishJob;
}

export type SceneMessage =
  | { readonly kind: 'event'; readonly event: SceneEvent }
  | { readonly kind: 'done'; readonly finished: FinishedScene | undefined }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly status: number };

const post = (message: SceneMessage) => parentPort!.postMessage(message);

async function work({ store: location, job }: SceneWork): Promise<void> {
  const store = openStore(location);
  try {
    if (job.kind === 'finish') return post({ kind: 'done', finished: await finishScene(store, job) });
    await prepareScene(store, job, (event) => post({ kind: 'event', event }));
    post({ kind: 'done', finished: undefined });
  } catch (error) {
    const known = error instanceof ImplicamError;
    post({
      kind: 'failed',
      code: known ? error.code : 'internal',
      message: error instanceof Error ? error.message : String(error),
      status: known ? error.status : 500,
    });
  }
}

await work(workerData as SceneWork);
