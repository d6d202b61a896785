import type { Readable } from 'node:stream';
import { type Selectable, sql } from 'kysely';
import { type Db, sqlState } from '../../database/connection.js';
import type { ModelTable } from '../../migrations/schema.js';
import { ImplicamError } from '../../model/errors.js';
import type { RenderQuery } from '../../model/render/query.js';
import type { Deps } from '../context.js';
import { FairGate } from '../http/fair-gate.js';
import { refusal } from '../http/refusal.js';
import type { RenderedPicture } from './gateway.js';

/** A picture, from the cache or made just now. */
export interface Render {
  readonly type: string;
  readonly bytes: number;
  readonly content: Uint8Array<ArrayBuffer> | Readable;
}

export interface RenderJob {
  readonly tenant: string;
  readonly session: string;
  readonly model: Selectable<ModelTable>;
  readonly query: RenderQuery;
  readonly hash: Buffer;
}

/** Renders on their way into the cache after they were answered; with more, answers wait for theirs. */
const KEEPING = 16;

/**
 * Renders on demand. A model version and a query make one picture for ever, so it is looked for in the cache first;
 * requests for the same one at the same time share the work; and what must be made takes its turn at the gate.
 */
export class Renders {
  readonly #deps: Deps;
  readonly #gate: FairGate;
  /** Those that are made, or not yet in the cache. */
  readonly #inProgress = new Map<string, Promise<RenderedPicture>>();
  #keeping = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { renders, rendersWaiting, rendersWaitingPerTenant } = deps.limits;
    this.#gate = new FairGate({
      width: renders,
      waiting: rendersWaiting,
      waitingPerTenant: rendersWaitingPerTenant,
      what: 'renders',
    });
  }

  /** @throws ImplicamError as the gateway, `busy`, `render-late` */
  async get(db: Db, job: RenderJob): Promise<Render> {
    const { metrics } = this.#deps;
    const cached = await this.#lookUp(db, job);
    if (cached) {
      metrics?.render('cached');
      return cached;
    }
    const name = `${job.model.object_key} ${job.hash.toString('hex')}`;
    let making = this.#inProgress.get(name);
    if (making) metrics?.render('shared');
    else {
      const forget = () => this.#inProgress.delete(name);
      making = this.#make(job, forget);
      this.#inProgress.set(name, making);
      making.catch(forget);
    }
    const { type, bytes } = await making;
    return { type, bytes: bytes.length, content: bytes as Uint8Array<ArrayBuffer> };
  }

  async #lookUp(db: Db, { session, model, hash }: RenderJob): Promise<Render | undefined> {
    const isIt = sql<boolean>`session = ${session} and model_version = ${model.version} and query_hash = ${hash}`;
    const row = await db
      .selectFrom('renders')
      .select(['object_key', 'media_type', 'bytes'])
      .select(sql<boolean>`last_used_at < now() - interval '1 hour'`.as('stale'))
      .where(isIt)
      .executeTakeFirst();
    if (!row) return undefined;
    // Once an hour is enough to know what was not used for long, and costs readers no write.
    if (row.stale) {
      await db.updateTable('renders').set({ last_used_at: sql`now()` }).where(isIt).execute();
    }
    try {
      const content = await this.#deps.objects.stream(row.object_key);
      return { type: row.media_type, bytes: row.bytes, content };
    } catch (error) {
      // The cache was trimmed between the two: it is made again.
      if (!(error instanceof ImplicamError && error.code === 'object-missing')) throw error;
      await db.deleteFrom('renders').where(isIt).execute();
      return undefined;
    }
  }

  async #make(job: RenderJob, onKept: () => void): Promise<RenderedPicture> {
    const { gateway, metrics, limits, log, after } = this.#deps;
    const { tenant, session, model, query } = job;
    const signal = AbortSignal.timeout(1000 * limits.renderSeconds);
    try {
      const picture = await this.#gate.run(tenant, signal, () =>
        gateway.render({ session, tenant, model: model.object_key, query }, signal),
      );
      metrics?.render('made');
      this.#keeping++;
      // A render is a render where this fails: it is made again next time.
      const kept = this.#keep(job, picture)
        .catch((err) => log.warn({ err }, 'a render could not be cached'))
        .finally(() => {
          this.#keeping--;
          onKept();
        });
      after?.(kept);
      if (this.#keeping > KEEPING) await kept;
      return picture;
    } catch (error) {
      metrics?.render('failed');
      if (signal.aborted) {
        throw refusal(503, 'render-late', 'the render took too long: try again, or ask for a smaller one', 5);
      }
      throw error;
    }
  }

  async #keep(job: RenderJob, picture: RenderedPicture): Promise<void> {
    const { objects, connect } = this.#deps;
    const key = `sessions/${job.session}/renders/${job.model.version}-${job.hash.toString('hex')}`;
    const { db, close } = connect();
    try {
      await objects.put(key, picture.bytes);
      await db
        .insertInto('renders')
        .values({
          session: job.session,
          model_version: job.model.version,
          query_hash: job.hash,
          object_key: key,
          media_type: picture.type,
          bytes: picture.bytes.length,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    } catch (err) {
      // 23503: the session was deleted meanwhile, its objects with it or soon.
      if (sqlState(err) !== '23503') throw err;
      await objects.delete([key]).catch(() => undefined);
    } finally {
      await close();
    }
  }
}
