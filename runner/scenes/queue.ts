import { Worker } from 'node:worker_threads';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { PRESETS, type Preset, QUALITIES, type Quality } from '../../develop/options.js';
import type { Engine } from '../../engine/engine.js';
import { ImplicamError } from '../../model/errors.js';
import type { FinishRequest__Output } from '../../proto/types/implicam/v1/FinishRequest.js';
import type { FinishResponse } from '../../proto/types/implicam/v1/FinishResponse.js';
import type { PrepareRequest__Output } from '../../proto/types/implicam/v1/PrepareRequest.js';
import type { PrepareResponse } from '../../proto/types/implicam/v1/PrepareResponse.js';
import type { SceneFrame__Output } from '../../proto/types/implicam/v1/SceneFrame.js';
import { asStatus } from '../status.js';
import type { FinishedScene, FinishJob, PrepareJob, SceneEvent, SceneFrame } from './jobs.js';
import type { SceneMessage, SceneWork } from './worker.js';

/** Jobs that wait for their turn, at most. */
const LONGEST_QUEUE = 16;

export interface SceneQueueOptions {
  readonly engine: Engine;
  readonly threads: number;
  /** Location of the object store, as `openStore` takes it. */
  readonly store: string;
  readonly version: string;
}

/** Prepares scenes and finishes them, one at a time, each in a thread of its own beside training. */
export class SceneQueue {
  private readonly options: SceneQueueOptions;
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(options: SceneQueueOptions) {
    this.options = options;
  }

  /** Serves `prepare`. */
  prepare(call: ServerWritableStream<PrepareRequest__Output, PrepareResponse>): void {
    const { training, frames, preset, quality, seed, steps, gps } = call.request;
    const { name, device } = this.options.engine;
    const ending = endingOf(call);
    const start = async () => {
      const job: PrepareJob = {
        kind: 'prepare',
        training,
        frames: frames.map(readFrame),
        preset: oneOf<Preset>(PRESETS, preset, 'preset'),
        quality: oneOf<Quality>(QUALITIES, quality, 'quality'),
        seed,
        gps,
        ...(steps === undefined ? {} : { steps }),
        engine: { name, device, threads: this.options.threads },
      };
      await this.inTurn(job, ending, (event) => call.write(asResponse(event)));
    };
    start().then(
      () => call.end(),
      (error) => call.emit('error', asStatus(error)),
    );
  }

  /** Serves `finish`. */
  finish(
    call: ServerUnaryCall<FinishRequest__Output, FinishResponse>,
    answer: sendUnaryData<FinishResponse>,
  ): void {
    const { training, step, version, frames, pieces } = call.request;
    const { engine, threads, version: programVersion } = this.options;
    const ending = endingOf(call);
    const start = () => {
      const job: FinishJob = {
        kind: 'finish',
        training,
        step,
        version,
        frames: frames.map(readFrame),
        pieces,
        engine: { name: engine.name, threads },
        programVersion,
      };
      return this.inTurn(job, ending, () => undefined);
    };
    start().then(
      (finished) => {
        const { outputs, ...rest } = finished!;
        answer(null, { ...rest, outputs: [...outputs] });
      },
      (error) => answer(asStatus(error)),
    );
  }

  private async inTurn(
    job: PrepareJob | FinishJob,
    signal: AbortSignal,
    onEvent: (event: SceneEvent) => void,
  ): Promise<FinishedScene | undefined> {
    if (this.waiting >= LONGEST_QUEUE) {
      throw new ImplicamError('busy', 'too many scenes wait for this runner', { status: 503 });
    }
    this.waiting++;
    const result = this.queue.then(() => this.run(job, signal, onEvent));
    this.queue = result.catch(() => undefined);
    return result.finally(() => {
      this.waiting--;
    });
  }

  private run(
    job: PrepareJob | FinishJob,
    signal: AbortSignal,
    onEvent: (event: SceneEvent) => void,
  ): Promise<FinishedScene | undefined> {
    return new Promise((resolve, reject) => {
      const ended = () => new ImplicamError('cancelled', 'nobody waits for this any more', { status: 499 });
      if (signal.aborted) return reject(ended());
      const work: SceneWork = { store: this.options.store, job };
      const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: work });
      const stop = () => {
        void worker.terminate();
        reject(ended());
      };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (message: SceneMessage) => {
        if (message.kind === 'event') return onEvent(message.event);
        if (message.kind === 'done') return resolve(message.finished);
        const { code, message: text, status: http } = message;
        reject(new ImplicamError(code, text, { status: http }));
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        signal.removeEventListener('abort', stop);
        reject(new ImplicamError('internal', 'the work on a scene broke off', { status: 500 }));
      });
    });
  }
}

function asResponse(event: SceneEvent): PrepareResponse {
  if (event.kind === 'phase') return { phase: event.phase };
  if (event.kind === 'note') return { note: event.note };
  const { key, type, width, height } = event;
  return { preview: { key, type, width, height } };
}

function readFrame({ key, name, camera }: SceneFrame__Output): SceneFrame {
  return { key, name, camera: camera ? JSON.parse(camera) : {} };
}

function oneOf<T extends string>(all: readonly T[], value: string, what: string): T {
  const found = all.find((v) => v === value);
  if (found) return found;
  throw new ImplicamError('option-invalid', `'${value}' is no ${what}: use one of ${all.join(', ')}`);
}

/** Aborts when the caller has gone. */
function endingOf(call: { on(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort());
  return controller.signal;
}
