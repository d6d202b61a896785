import { openDatabase } from '../../database/connection.js';
import { ImplicamError } from '../../model/errors.js';
import { isS3Location, readS3Location } from '../../store/s3/location.js';
import { createS3Store } from '../../store/s3/s3.js';
import { createApp } from '../app.js';
import type { Deps, Log } from '../context.js';
import { createPollingWaker } from '../events/waker.js';
import { defaultLimits } from '../limits.js';
import { headerInspector } from '../photographs/inspect-header.js';
import { createHttpGateway, noGateway } from '../renders/gateway.js';
import { maintain } from '../service/maintenance.js';

/**
 * The API under a Workers runtime (workerd): the same app, on Postgres over TCP, an S3 store, and the coordinator's
 * gateway over HTTP. `bundle-worker.mjs` makes the one file of it that such a runtime takes; docs/operate/EDGE.md configures it.
 *
 * Photographs are judged by their first bytes here, because nothing decodes them; events are looked for by the clock,
 * because no connection outlives a request to listen on. Webhooks are sent by `implicam serve`.
 */

/** What a Worker is configured with: variables and secrets as the processes on Node have them. */
export interface WorkerEnv {
  /** A binding that pools connections, or an address: one of them. */
  readonly HYPERDRIVE?: { readonly connectionString: string };
  readonly DATABASE_URL?: string;
  /** s3://BUCKET/PREFIX?endpoint=URL&region=REGION */
  readonly IMPLICAM_STORE?: string;
  readonly AWS_ACCESS_KEY_ID?: string;
  readonly AWS_SECRET_ACCESS_KEY?: string;
  readonly AWS_SESSION_TOKEN?: string;
  readonly AWS_REGION?: string;
  readonly AWS_ENDPOINT_URL_S3?: string;
  readonly IMPLICAM_GATEWAY?: string;
  readonly IMPLICAM_GATEWAY_SECRET?: string;
  /** Origins whose pages may call, separated by commas. */
  readonly IMPLICAM_ORIGINS?: string;
}

interface WorkerRuntime {
  waitUntil(work: Promise<void>): void;
}

/** Put in by the bundler, from package.json. */
declare const IMPLICAM_VERSION: string;

/** Between two looks for news on an event stream, in milliseconds. */
const POLL = 1000;
/** Connections of one request: a runtime allows few, and a stored upload is read beside them. */
const CONNECTIONS = 2;

export default {
  /**
   * An app for every request: what a runtime cuts off in the middle of a request (its memory, its client gone) leaves
   * nothing behind that another would wait for, and no socket is used by two requests, which it forbids. Making it
   * takes 4 ms of processor time.
   */
  async fetch(request: Request, env: WorkerEnv, runtime: WorkerRuntime): Promise<Response> {
    try {
      const after = (work: Promise<void>) => runtime.waitUntil(work);
      return await createApp({ ...dependencies(env), after }).fetch(request);
    } catch (error) {
      if (!(error instanceof ImplicamError)) throw error;
      // Only a Worker that is configured wrongly comes here: the app answers for its own errors.
      log.error({ err: error }, 'the worker is not configured');
      return Response.json({ code: error.code, detail: error.message, status: 503 }, { status: 503 });
    }
  },

  /** By the clock, where a trigger is configured: what has to be tidied up now and then. */
  async scheduled(_: unknown, env: WorkerEnv): Promise<void> {
    const { connect, objects, limits } = dependencies(env);
    const { db, close } = connect();
    await maintain(db, objects, limits, log).finally(close);
  },
};

function dependencies(env: WorkerEnv): Deps {
  const database = env.HYPERDRIVE?.connectionString ?? env.DATABASE_URL;
  if (!database) throw unconfigured('HYPERDRIVE or DATABASE_URL', 'the Postgres of the service');
  if (!env.IMPLICAM_STORE || !isS3Location(env.IMPLICAM_STORE)) {
    throw unconfigured('IMPLICAM_STORE', 's3://BUCKET/PREFIX?endpoint=URL&region=REGION');
  }
  const variables = Object.entries(env).filter(([, value]) => typeof value === 'string');
  const { IMPLICAM_GATEWAY: gateway, IMPLICAM_GATEWAY_SECRET: secret } = env;
  if (gateway && !secret)
    throw unconfigured('IMPLICAM_GATEWAY_SECRET', 'the secret that coordinators were given');
  return {
    connect() {
      const db = openDatabase(database, { connections: CONNECTIONS, name: 'implicam worker' });
      return { db, close: () => db.destroy() };
    },
    // A runtime has six connections for a request.
    objects: createS3Store(readS3Location(env.IMPLICAM_STORE, Object.fromEntries(variables)), {
      requests: 3,
    }),
    gateway: gateway && secret ? createHttpGateway(gateway, secret) : noGateway,
    photographs: headerInspector,
    waker: createPollingWaker(POLL),
    limits: defaultLimits,
    log,
    origins: (env.IMPLICAM_ORIGINS ?? '').split(',').flatMap((origin) => origin.trim() || []),
    version: IMPLICAM_VERSION,
    privateWebhooks: false,
  };
}

/** Lines of JSON, as on Node; errors as what they say. */
const log: Log = {
  info: (fields, message) => console.log(line('info', fields, message)),
  warn: (fields, message) => console.warn(line('warn', fields, message)),
  error: (fields, message) => console.error(line('error', fields, message)),
};

function line(level: string, fields: object, message: string): string {
  const plain = (_: string, value: unknown) =>
    value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
  return JSON.stringify({ level, message, ...fields }, plain);
}

function unconfigured(name: string, what: string): ImplicamError {
  return new ImplicamError('invalid-environment', `${name} is not set: give ${what}`, { status: 503 });
}
