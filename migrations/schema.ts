import type { ColumnType, Generated } from 'kysely';

/**
 * The tables as Kysely sees them. Ids are UUIDs; whole numbers of any width come back as JavaScript numbers
 * (`database/connection.ts` refuses those that do not fit); times are set and compared by the server's clock alone.
 */

/** A column that the server fills and nobody writes. */
type ServerTime = ColumnType<Date, never, never>;
/** A time that is written by an SQL expression such as `now()`. */
type Time = ColumnType<Date, Date | undefined, Date>;
/** JSON: objects come back parsed; they are written as text. */
type Json<T> = ColumnType<T, string, string>;

/** Whose data it is: every session and key belongs to one tenant. */
export interface TenantTable {
  id: string;
  created_at: ServerTime;
}

export interface ApiKeyTable {
  id: Generated<string>;
  tenant: string;
  name: string;
  /** The readable beginning of the key, by which people tell keys apart. */
  prefix: string;
  /** SHA-256 of the whole key. Keys are 256 random bits, so that a slow hash would add nothing. */
  hash: Buffer;
  /** Whether it may list, create and revoke keys of its tenant. */
  manages_keys: boolean;
  rate_per_minute: number;
  /** Requests that may come at once after a pause. */
  burst: number;
  max_sessions: number;
  /** Bytes of photographs that the tenant may keep. */
  max_bytes: number;
  /** Sessions of the tenant that may wait or train at a time. */
  max_active: number;
  created_at: ServerTime;
  expires_at: Date | null;
  revoked_at: Date | null;
}

/** Token buckets. Unlogged: after a crash of the server every bucket is full again, and no request waits for a disk. */
export interface RateLimitTable {
  api_key: string;
  tokens: number;
  /** Whether the newest request was let through. */
  allowed: boolean;
  refilled_at: Time;
}

export const SESSION_STATES = [
  'draft',
  'queued',
  'training',
  'trained',
  'failed',
  'cancelled',
  'deleting',
] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** Why something failed: the code and message of an ImplicamError. */
export interface StoredError {
  readonly code: string;
  readonly message: string;
}

export interface SessionTable {
  id: Generated<string>;
  tenant: string;
  preset: string;
  quality: string;
  notes: string;
  /** Whether results say where the photographs were taken. */
  gps: Generated<boolean>;
  state: Generated<SessionState>;
  error: Json<StoredError> | null;
  /** Size that all frames have; known with the first of them. */
  width: number | null;
  height: number | null;
  created_at: ServerTime;
  updated_at: Time;
  /** Place in the queue: smaller is sooner. Kept while training, so that an interrupted session does not queue again. */
  queue_order: number | null;
  /** A person asked to stop while a coordinator held the session. */
  cancel_requested: Generated<boolean>;
  lease_owner: string | null;
  /** Fencing number: grows with every claim; writes that carry an older one change nothing. */
  lease_number: Generated<number>;
  lease_expires: Date | null;
  /** What the training does now: register, start, train, render. */
  phase: string | null;
  steps_total: number | null;
  step: number | null;
  loss: number | null;
  psnr: number | null;
  /** Number of the newest event. */
  last_event: Generated<number>;
  /** Number of the newest training run, and of the newest model. */
  run: Generated<number>;
  model_version: number | null;
}

export interface FrameTable {
  session: string;
  number: number;
  name: string;
  bytes: number;
  sha256: Buffer;
  format: string;
  /** Upright size; unknown where only the first bytes could be looked at. */
  width: number | null;
  height: number | null;
  /** Camera settings: from EXIF, overridden by what the client states (`CameraSettings`). */
  camera: Json<Record<string, unknown>>;
  object_key: string;
  preview_key: string | null;
  /** `unchecked`: only the first bytes were judged, the preparation decodes it first. */
  state: 'checked' | 'unchecked';
  created_at: ServerTime;
}

/** A resumable upload of one frame (tus). */
export interface UploadTable {
  id: Generated<string>;
  session: string;
  number: number;
  name: string;
  bytes_total: number;
  bytes_received: Generated<number>;
  camera: Json<Record<string, unknown>>;
  /** SHA-256 of the whole file, where the client said it in advance. */
  sha256: Buffer | null;
  metadata: string;
  state: Generated<'open' | 'done'>;
  created_at: ServerTime;
  expires_at: Time;
}

export interface UploadPieceTable {
  upload: string;
  /** First byte of the piece. */
  start: number;
  bytes: number;
  object_key: string;
}

export interface TrainingRunTable {
  session: string;
  number: number;
  state: 'queued' | 'running' | 'finished' | 'failed' | 'cancelled';
  preset: string;
  quality: string;
  seed: number;
  /** Steps asked for; null: what the quality says. */
  steps: number | null;
  /** The newest durable snapshot, written under the lease: its step, and the manifest that tells of it and the one before. */
  snapshot_step: number | null;
  snapshot: Json<Record<string, unknown>> | null;
  error: Json<StoredError> | null;
  queued_at: ServerTime;
  started_at: Date | null;
  finished_at: Date | null;
  /** When its scene and snapshots were taken out of the object store; null as long as they may be there. */
  tidied_at: Date | null;
}

/** Where the shards of a session are: for people who watch, nothing is decided by it. */
export interface ShardTable {
  session: string;
  shard: number;
  runner: string;
  device: string;
  step: number;
  updated_at: Time;
}

export interface EventTable {
  session: string;
  /** 1, 2, 3, … within the session, without gaps, in the order of commit. */
  number: number;
  type: string;
  data: Json<Record<string, unknown>>;
  created_at: ServerTime;
}

/** A file that a training results in, beside the model. */
export interface StoredOutput {
  readonly name: string;
  readonly key: string;
  readonly type: string;
  readonly bytes: number;
}

export interface ModelTable {
  session: string;
  version: number;
  run: number;
  object_key: string;
  bytes: number;
  sha256: Buffer;
  /** Hex, as `develop/model-file/model-file.ts` gives it: equal where two runs learned the same. */
  parameters_sha256: string;
  steps: number;
  loss: number | null;
  psnr: number | null;
  outputs: Json<readonly StoredOutput[]>;
  created_at: ServerTime;
}

/** Index of cached renders. */
export interface RenderTable {
  session: string;
  model_version: number;
  /** SHA-256 of the canonical query. */
  query_hash: Buffer;
  object_key: string;
  media_type: string;
  bytes: number;
  created_at: ServerTime;
  last_used_at: Time;
}

export interface IdempotencyKeyTable {
  tenant: string;
  key: string;
  /** SHA-256 of method, path and body: the same key with another request is refused. */
  request_hash: Buffer;
  status: number | null;
  body: string | null;
  created_at: ServerTime;
}

export interface WebhookTable {
  id: Generated<string>;
  tenant: string;
  url: string;
  /** Shared with the receiver, who checks signatures with it. */
  secret: string;
  /** Event types that are sent. */
  events: string[];
  active: Generated<boolean>;
  created_at: ServerTime;
}

export interface WebhookOutboxTable {
  id: Generated<number>;
  webhook: string;
  session: string;
  payload: Json<Record<string, unknown>>;
  attempts: Generated<number>;
  next_at: Time;
  delivered_at: Date | null;
  failed_at: Date | null;
  last_result: string | null;
  created_at: ServerTime;
}

export interface Database {
  tenants: TenantTable;
  api_keys: ApiKeyTable;
  rate_limits: RateLimitTable;
  sessions: SessionTable;
  frames: FrameTable;
  uploads: UploadTable;
  upload_pieces: UploadPieceTable;
  training_runs: TrainingRunTable;
  shards: ShardTable;
  events: EventTable;
  models: ModelTable;
  renders: RenderTable;
  idempotency_keys: IdempotencyKeyTable;
  webhooks: WebhookTable;
  webhook_outbox: WebhookOutboxTable;
}
