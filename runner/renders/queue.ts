import type { ServerWritableStream } from '@grpc/grpc-js';
import { decodeModel } from '../../develop/model-file/model-file.js';
import type { TrainedModel } from '../../develop/options.js';
import { queryForFile, renderFile } from '../../develop/render/render-file.js';
import { bakeScene } from '../../develop/render/scene-renderer.js';
import type { Engine } from '../../engine/engine.js';
import { type ImageKind, imageKinds } from '../../imaging/write.js';
import { ImplicamError } from '../../model/errors.js';
import type { BakedScene } from '../../model/render/render.js';
import type { RenderRequest__Output } from '../../proto/types/implicam/v1/RenderRequest.js';
import type { RenderResponse } from '../../proto/types/implicam/v1/RenderResponse.js';
import type { ObjectStore } from '../../store/objects.js';
import { asStatus } from '../status.js';
import { sendAll } from '../streaming.js';

const PIECE = 256 * 1024;
/** Renders that may wait; more are refused with `busy`. */
const LONGEST_QUEUE = 64;

interface Ready {
  readonly model: TrainedModel;
  readonly scene: BakedScene;
}

interface Kept {
  readonly ready: Promise<Ready>;
  /** Undefined while it is being opened. */
  bytes: number | undefined;
}

/**
 * Renders trained models. The most recently used scenes stay in memory. One render runs at a time, because it uses all
 * threads; between two of them training gets its turn.
 */
export class RenderQueue {
  private readonly engine: Engine;
  private readonly store: ObjectStore;
  private readonly memoryBytes: number;
  /** In order of use. */
  private readonly kept = new Map<string, Kept>();
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
    this.render(call.request, () => call.cancelled)
      .then(({ bytes, type }) => sendAll(call, piecesOf(bytes, type)))
      .then(
        () => call.end(),
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
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known.ready;
    }
    const opening: Kept = { ready: this.open(key), bytes: undefined };
    this.kept.set(key, opening);
    opening.ready.then(
      ({ scene }) => {
        opening.bytes = scene.radiance.byteLength + scene.defocus.byteLength;
        this.makeRoom(opening);
      },
      () => this.kept.delete(key),
    );
    return opening.ready;
  }

  private async open(key: string): Promise<Ready> {
    const model = decodeModel(await this.store.read(key), key);
    const scene = await bakeScene(model, this.engine);
    // Renders read the camera and the baked scene: the rest of the model can go.
    return { model: { ...model, start: undefined }, scene };
  }

  /** Drops scenes, the longest unused first, until the rest and the newest fit. */
  private makeRoom(newest: Kept): void {
    let sum = 0;
    for (const { bytes = 0 } of this.kept.values()) sum += bytes;
    for (const [key, one] of this.kept) {
      if (sum <= this.memoryBytes) break;
      if (one === newest || one.bytes === undefined) continue;
      sum -= one.bytes;
      this.kept.delete(key);
    }
  }
}

function* piecesOf(bytes: Uint8Array, type: string): Generator<RenderResponse> {
  for (let at = 0; at < bytes.length; at += PIECE) {
    yield { data: bytes.subarray(at, at + PIECE), ...(at === 0 ? { type } : {}) };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ImplicamError('render-query', 'the render query is no JSON', { cause });
  }
}
