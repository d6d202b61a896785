import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Db } from '../database/connection.js';
import type { ObjectStore } from '../store/objects.js';
import type { EventWaker } from './events/waker.js';
import type { Limits } from './limits.js';
import type { PhotographInspector } from './photographs/inspector.js';
import type { RenderGateway } from './renders/gateway.js';

/** Structured log, as pino has it. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What is counted; none where nobody asks. */
export interface Metrics {
  request(route: string, method: string, status: number, seconds: number): void;
  render(outcome: 'cached' | 'made' | 'shared' | 'failed'): void;
  uploaded(bytes: number): void;
  /** One more or one less open event stream. */
  streams(change: 1 | -1): void;
  /** Text in the format of Prometheus. */
  expose(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Everything the app stands on. It runs wherever these can be had: Node, a Workers runtime, a test. */
export interface Deps {
  /** Connections for one request, given back with `close`. Where connections outlive requests, `close` does nothing. */
  readonly connect: () => { readonly db: Db; close(): Promise<void> };
  readonly objects: ObjectStore;
  readonly gateway: RenderGateway;
  readonly photographs: PhotographInspector;
  readonly waker: EventWaker;
  readonly limits: Limits;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Origins whose pages may call: exact ones; `*` for any. */
  readonly origins: readonly string[];
  readonly version: string;
  /** Whether this process sends webhooks to addresses of its own network too. */
  readonly privateWebhooks: boolean;
  /** Told of work that goes on after its answer, where the runtime would end it otherwise. */
  readonly after?: (work: Promise<void>) => void;
  /** Answers what no route does: the web page. */
  readonly pages?: (request: Request) => Promise<Response | undefined>;
}

/** Who calls: an API key of a tenant. */
export interface Principal {
  readonly key: string;
  readonly tenant: string;
  readonly managesKeys: boolean;
  readonly maxSessions: number;
  readonly maxBytes: number;
  readonly maxActive: number;
  readonly ratePerMinute: number;
  readonly burst: number;
}

export interface AppEnv {
  Variables: {
    requestId: string;
    db: Db;
    principal: Principal;
  };
}

export type App = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;
