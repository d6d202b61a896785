import type { ServerWritableStream } from '@grpc/grpc-js';
import { type ImageKind, imageKinds } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import type { BakedScene } from '../../model/render.js';
import type { RenderRequest__Output } from '../../proto/types/implicam/v1/RenderRequest.js';
import type { RenderResponse } from '../../proto/types/implicam/v1/RenderResponse.js';
import type { ObjectStore } from '../../store/objects.js';
import type { TrainedModel } from '../develop-options.js';
import type { Engine } from '../engines/engine.js';
import { decodeModel } from '../model-file.js';
import { queryForFile, renderFile } from '../render-file.js';
import { bakeScene } from '../scene-renderer.js';
import { asStatus } from './status.js';

const PIECE = 256 * 1024;
/** Renders that wait; more are turned away, to be asked for again. */
const LONGEST_QUEUE = 64;

interface Ready {
  readonly model: TrainedModel;
  readonly scene: BakedScene;
  readonly bytes: number;
}

/**
 * Renders of trained models. The newest used scenes stay in memory. One render is made at a time: it takes all
 * threads, and between two of them training has its turn.
 */
export class RenderDesk {
  private readonly engine: Engine;
  private readonly store: ObjectStore;
  private readonly memoryBytes: number;
  /** In order of use. */
  private readonly ready = new Map<string, Promise<Ready>>();
  private readonly sizes = new Map<string, number>();
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  rendered = 0;

  constructor(engine: Engine, store: ObjectStore, memoryBytes: number) {
    this.engine = engine;
    this.store = store;
    this.memoryBytes = memoryBytes;
  }

  /** Serves `render`. */
  serve(call: ServerWritableStream<RenderRequest__Output, RenderResponse>): void {
    call.on('error', () => undefined);
    this.render(call.request, () => call.cancelled).then(
      ({ bytes, type }) => {
        for (let at = 0; at < bytes.length; at += PIECE) {
          call.write({ data: bytes.subarray(at, at + PIECE), ...(at === 0 ? { type } : {}) });
        }
        call.end();
      },
      (error) => call.emit('error', asStatus(error)),
    );
  }

  async render(
    request: { readonly model: string; readonly query: string },
    isCancelled: () => boolean = () => false,
  ): Promise<{ bytes: Uint8Array; type: string }> {
    const input = parseJson(request.query) as { format?: ImageKind };
    const format = input.format && input.format in imageKinds ? input.format : 'png';
    const query = queryForFile(input, format, 'the render');
    if (this.waiting >= LONGEST_QUEUE) {
      throw new ImplicamError('busy', 'too many renders are waiting: ask again in a moment', { status: 503 });
    }
    this.waiting++;
    try {
      const bytes = await this.inTurn(async () => {
        if (isCancelled())
          throw new ImplicamError('cancelled', 'nobody waits for this render', { status: 499 });
        const { model, scene } = await this.sceneOf(request.model);
        return renderFile(scene, model, query);
      });
      this.rendered++;
      return { bytes, type: imageKinds[format].mediaType };
    } finally {
      this.waiting--;
    }
  }

  private inTurn<T>(job: () => Promise<T>): Promise<T> {
    const result = this.queue.then(
      () => new Promise<T>((resolve, reject) => setImmediate(() => job().then(resolve, reject))),
    );
    this.queue = result.catch(() => undefined);
    return result;
  }

  private sceneOf(key: string): Promise<Ready> {
    const known = this.ready.get(key);
    if (known) {
      this.ready.delete(key);
      this.ready.set(key, known);
      return known;
    }
    const opening = this.open(key);
    this.ready.set(key, opening);
    opening.then(
      ({ bytes }) => this.makeRoom(key, bytes),
      () => this.ready.delete(key),
    );
    return opening;
  }

  private async open(key: string): Promise<Ready> {
    const model = decodeModel(await this.store.read(key), key);
    const scene = await bakeScene(model, this.engine);
    const bytes = scene.radiance.byteLength + scene.defocus.byteLength;
    // Renders read the camera and the baked scene: the rest of the model can go.
    return { model: { ...model, start: undefined }, scene, bytes };
  }

  private makeRoom(key: string, bytes: number): void {
    this.sizes.set(key, bytes);
    let sum = [...this.sizes.values()].reduce((a, b) => a + b, 0);
    for (const old of this.ready.keys()) {
      if (sum <= this.memoryBytes) break;
      if (old === key || !this.sizes.has(old)) continue;
      sum -= this.sizes.get(old)!;
      this.sizes.delete(old);
      this.ready.delete(old);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ImplicamError('render-query', 'the render query is no JSON', { cause });
  }
}
