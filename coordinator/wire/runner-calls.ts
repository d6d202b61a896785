import { type ClientReadableStream, status } from '@grpc/grpc-js';
import { ImplicamError } from '../../model/errors.js';
import { CHANNEL_OPTIONS, type ChannelSecurity, channelCredentials } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import type { FinishRequest } from '../../proto/types/implicam/v1/FinishRequest.js';
import type { FinishResponse__Output } from '../../proto/types/implicam/v1/FinishResponse.js';
import type { Hello__Output } from '../../proto/types/implicam/v1/Hello.js';
import type { PrepareRequest } from '../../proto/types/implicam/v1/PrepareRequest.js';
import type { PrepareResponse__Output } from '../../proto/types/implicam/v1/PrepareResponse.js';
import type { RenderServiceClient } from '../../proto/types/implicam/v1/RenderService.js';
import type { SceneServiceClient } from '../../proto/types/implicam/v1/SceneService.js';

/** Longest preparation, finish and render, in milliseconds. */
const PREPARE_DEADLINE = 30 * 60_000;
const FINISH_DEADLINE = 30 * 60_000;
const RENDER_DEADLINE = 120_000;

interface Clients {
  readonly scenes: SceneServiceClient;
  readonly renders: RenderServiceClient;
}

/** Calls to runners beside training: preparing scenes, finishing them, renders. */
export class RunnerCalls {
  private readonly security: ChannelSecurity;
  private readonly runners: () => readonly Hello__Output[];
  private readonly clients = new Map<string, Clients>();
  /** Calls under way, by runner. */
  private readonly busy = new Map<string, number>();

  constructor(security: ChannelSecurity, runners: () => readonly Hello__Output[]) {
    this.security = security;
    this.runners = runners;
  }

  /** The runner with the least to do for its speed. @throws ImplicamError `no-runners` */
  leastBusy(except: ReadonlySet<string> = new Set()): Hello__Output {
    const load = (r: Hello__Output) => ((this.busy.get(r.runner) ?? 0) + 1) / Math.max(r.stepRate, 1e-9);
    const [first, ...rest] = this.runners().filter((r) => !r.draining && !except.has(r.runner));
    if (!first) throw new ImplicamError('no-runners', 'no runner is connected: start one', { status: 503 });
    return rest.reduce((best, r) => (load(r) < load(best) ? r : best), first);
  }

  /**
   * The runner for a model: the same one as long as it is there (rendezvous hashing), because it has the scene ready.
   *
   * @throws ImplicamError `no-runners`
   */
  homeOf(model: string, except: ReadonlySet<string>): Hello__Output {
    const runners = this.runners().filter((r) => !except.has(r.runner));
    const [first, ...rest] = runners;
    if (!first) throw new ImplicamError('no-runners', 'no runner is connected: start one', { status: 503 });
    return rest.reduce((best, r) => (weight(model, r.runner) > weight(model, best.runner) ? r : best), first);
  }

  async prepare(
    runner: Hello__Output,
    request: PrepareRequest,
    signal: AbortSignal,
    onEvent: (event: PrepareResponse__Output) => Promise<void>,
  ): Promise<void> {
    await this.counted(runner, async () => {
      const call = this.clientsOf(runner).scenes.prepare(request, {
        deadline: Date.now() + PREPARE_DEADLINE,
      });
      await eachOf(call, signal, onEvent);
    });
  }

  async finish(
    runner: Hello__Output,
    request: FinishRequest,
    signal: AbortSignal,
  ): Promise<FinishResponse__Output> {
    return this.counted(
      runner,
      () =>
        new Promise((resolve, reject) => {
          const options = { deadline: Date.now() + FINISH_DEADLINE };
          const call = this.clientsOf(runner).scenes.finish(request, options, (error, answer) =>
            answer && !error ? resolve(answer) : reject(asError(error)),
          );
          signal.addEventListener('abort', () => call.cancel(), { once: true });
        }),
    );
  }

  /** One render, wherever the model is at home; on another runner where that one is lost meanwhile. */
  async render(model: string, query: string, signal: AbortSignal): Promise<{ bytes: Buffer; type: string }> {
    const tried = new Set<string>();
    for (;;) {
      const runner = this.homeOf(model, tried);
      try {
        return await this.counted(runner, async () => {
          const options = { deadline: Date.now() + RENDER_DEADLINE };
          const call = this.clientsOf(runner).renders.render({ model, query }, options);
          const pieces: Buffer[] = [];
          let type = 'application/octet-stream';
          await eachOf(call, signal, async (piece) => {
            if (piece.type) type = piece.type;
            pieces.push(piece.data);
          });
          return { bytes: Buffer.concat(pieces), type };
        });
      } catch (error) {
        if (!isUnreachable(error) || signal.aborted) throw error;
        tried.add(runner.runner);
      }
    }
  }

  close(): void {
    for (const { scenes, renders } of this.clients.values()) {
      scenes.close();
      renders.close();
    }
    this.clients.clear();
  }

  private async counted<T>({ runner }: Hello__Output, job: () => Promise<T>): Promise<T> {
    this.busy.set(runner, (this.busy.get(runner) ?? 0) + 1);
    try {
      return await job();
    } finally {
      const left = (this.busy.get(runner) ?? 1) - 1;
      if (left > 0) this.busy.set(runner, left);
      else this.busy.delete(runner);
    }
  }

  private clientsOf({ address }: Hello__Output): Clients {
    const known = this.clients.get(address);
    if (known) return known;
    const credentials = channelCredentials(this.security);
    const clients = {
      scenes: new (wire().SceneService)(address, credentials, CHANNEL_OPTIONS),
      renders: new (wire().RenderService)(address, credentials, CHANNEL_OPTIONS),
    };
    this.clients.set(address, clients);
    return clients;
  }
}

/** The runner was lost, not the request wrong: another one may answer. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ImplicamError && error.code === 'runner-unreachable';
}

async function eachOf<T>(
  call: ClientReadableStream<T>,
  signal: AbortSignal,
  each: (message: T) => Promise<void>,
): Promise<void> {
  const cancel = () => call.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call as AsyncIterable<T>) await each(message);
  } catch (error) {
    throw asError(error);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** The runner's own error, which it sends as JSON in a status' details. */
function asError(error: unknown): ImplicamError {
  if (error instanceof ImplicamError) return error;
  const { code, details } = (error ?? {}) as { code?: number; details?: string };
  try {
    const sent = JSON.parse(details ?? '');
    if (typeof sent.code === 'string' && typeof sent.message === 'string') {
      return new ImplicamError(sent.code, sent.message, { status: sent.status, cause: error });
    }
  } catch {
    // Not ours: the connection's.
  }
  const lost = code === status.UNAVAILABLE || code === status.CANCELLED || code === status.UNKNOWN;
  return new ImplicamError(lost ? 'runner-unreachable' : 'runner-failed', `a runner failed: ${details}`, {
    status: 503,
    cause: error,
  });
}

/** FNV-1a of both names. */
function weight(model: string, runner: string): number {
  let hash = 2_166_136_261;
  for (const char of `${runner} ${model}`) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
  // The last characters would decide alone without this.
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return (hash ^ (hash >>> 13)) >>> 0;
}
