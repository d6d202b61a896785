import { type Kysely, sql } from 'kysely';

/** Tenants, keys, sessions and all that happens to them. What the columns mean: `schema.ts`. */

const tables = [
  sql`
    create table tenants (
      id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
      created_at timestamptz not null default now()
    )`,
  sql`
    create table api_keys (
      id uuid primary key default gen_random_uuid(),
      tenant text not null references tenants on delete cascade,
      name text not null check (length(name) between 1 and 200),
      prefix text not null unique,
      hash bytea not null unique check (length(hash) = 32),
      manages_keys boolean not null,
      rate_per_minute integer not null check (rate_per_minute > 0),
      burst integer not null check (burst > 0),
      max_sessions integer not null check (max_sessions >= 0),
      max_bytes bigint not null check (max_bytes >= 0),
      max_active integer not null check (max_active >= 0),
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz
    )`,
  sql`create index api_keys_of_tenant on api_keys (tenant, created_at)`,
  sql`
    create unlogged table rate_limits (
      api_key uuid primary key references api_keys on delete cascade,
      tokens double precision not null,
      allowed boolean not null,
      refilled_at timestamptz not null default now()
    )`,
  sql`create sequence queue_order as bigint`,
  sql`
    create table sessions (
      id uuid primary key default gen_random_uuid(),
      tenant text not null references tenants on delete cascade,
      preset text not null check (length(preset) between 1 and 60),
      quality text not null check (length(quality) between 1 and 60),
      notes text not null check (length(notes) <= 2000),
      state text not null default 'draft'
        check (state in ('draft', 'queued', 'training', 'trained', 'failed', 'cancelled', 'deleting')),
      error jsonb,
      width integer check (width > 0),
      height integer check (height > 0),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      queue_order bigint,
      cancel_requested boolean not null default false,
      lease_owner text,
      lease_number bigint not null default 0,
      lease_expires timestamptz,
      phase text,
      steps_total integer check (steps_total >= 0),
      step integer check (step >= 0),
      loss double precision,
      psnr double precision,
      last_event bigint not null default 0,
      run integer not null default 0,
      model_version integer,
      check ((lease_owner is null) = (lease_expires is null)),
      check (state not in ('queued', 'training') or queue_order is not null),
      check (state <> 'training' or lease_owner is not null),
      check (lease_owner is null or state in ('training', 'deleting')),
      check ((width is null) = (height is null))
    )`,
  sql`create index sessions_of_tenant on sessions (tenant, created_at desc, id desc)`,
  sql`create index sessions_waiting on sessions (queue_order) where state = 'queued'`,
  sql`create index sessions_leased on sessions (lease_expires) where lease_owner is not null`,
  sql`create index sessions_deleting on sessions (updated_at) where state = 'deleting'`,
  sql`
    create table frames (
      session uuid not null references sessions on delete cascade,
      number integer not null check (number between 0 and 9999),
      name text not null check (length(name) between 1 and 255),
      bytes bigint not null check (bytes > 0),
      sha256 bytea not null check (length(sha256) = 32),
      format text not null,
      width integer check (width > 0),
      height integer check (height > 0),
      camera jsonb not null default '{}',
      object_key text not null unique,
      preview_key text,
      state text not null check (state in ('checked', 'unchecked')),
      created_at timestamptz not null default now(),
      primary key (session, number),
      unique (session, sha256)
    )`,
  sql`
    create table uploads (
      id uuid primary key default gen_random_uuid(),
      session uuid not null references sessions on delete cascade,
      number integer not null check (number between 0 and 9999),
      name text not null check (length(name) between 1 and 255),
      bytes_total bigint not null check (bytes_total > 0),
      bytes_received bigint not null default 0 check (bytes_received between 0 and bytes_total),
      camera jsonb not null default '{}',
      sha256 bytea check (length(sha256) = 32),
      metadata text not null,
      state text not null default 'open' check (state in ('open', 'done')),
      created_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`,
  sql`create index uploads_of_session on uploads (session)`,
  sql`create index uploads_expiring on uploads (expires_at)`,
  sql`
    create table upload_pieces (
      upload uuid not null references uploads on delete cascade,
      start bigint not null check (start >= 0),
      bytes bigint not null check (bytes > 0),
      object_key text not null unique,
      primary key (upload, start)
    )`,
  sql`
    create table training_runs (
      session uuid not null references sessions on delete cascade,
      number integer not null check (number > 0),
      state text not null check (state in ('queued', 'running', 'finished', 'failed', 'cancelled')),
      preset text not null,
      quality text not null,
      seed integer not null check (seed >= 0),
      steps integer check (steps >= 0),
      snapshot_step integer check (snapshot_step >= 0),
      snapshot jsonb,
      error jsonb,
      queued_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz,
      primary key (session, number),
      check ((snapshot_step is null) = (snapshot is null))
    )`,
  sql`
    create table shards (
      session uuid not null references sessions on delete cascade,
      shard integer not null check (shard >= 0),
      runner text not null,
      device text not null,
      step integer not null check (step >= 0),
      updated_at timestamptz not null default now(),
      primary key (session, shard)
    )`,
  sql`
    create table events (
      session uuid not null references sessions on delete cascade,
      number bigint not null check (number > 0),
      type text not null check (type ~ '^[a-z][a-z-]{0,40}$'),
      data jsonb not null,
      created_at timestamptz not null default now(),
      primary key (session, number)
    )`,
  sql`
    create table models (
      session uuid not null references sessions on delete cascade,
      version integer not null check (version > 0),
      run integer not null,
      object_key text not null unique,
      bytes bigint not null check (bytes > 0),
      sha256 bytea not null check (length(sha256) = 32),
      parameters_sha256 text not null check (parameters_sha256 ~ '^[0-9a-f]{64}$'),
      steps integer not null check (steps >= 0),
      loss double precision,
      psnr double precision,
      outputs jsonb not null default '[]',
      created_at timestamptz not null default now(),
      primary key (session, version),
      foreign key (session, run) references training_runs on delete cascade
    )`,
  sql`
    create table renders (
      session uuid not null,
      model_version integer not null,
      query_hash bytea not null check (length(query_hash) = 32),
      object_key text not null,
      media_type text not null,
      bytes bigint not null check (bytes > 0),
      created_at timestamptz not null default now(),
      last_used_at timestamptz not null default now(),
      primary key (session, model_version, query_hash),
      foreign key (session, model_version) references models on delete cascade
    )`,
  sql`create index renders_least_used on renders (last_used_at)`,
  sql`
    create table idempotency_keys (
      tenant text not null references tenants on delete cascade,
      key text not null check (length(key) between 1 and 255),
      request_hash bytea not null check (length(request_hash) = 32),
      status integer,
      body text,
      created_at timestamptz not null default now(),
      primary key (tenant, key)
    )`,
  sql`create index idempotency_keys_old on idempotency_keys (created_at)`,
  sql`
    create table webhooks (
      id uuid primary key default gen_random_uuid(),
      tenant text not null references tenants on delete cascade,
      url text not null check (length(url) <= 2000),
      secret text not null,
      events text[] not null,
      active boolean not null default true,
      created_at timestamptz not null default now()
    )`,
  sql`create index webhooks_of_tenant on webhooks (tenant)`,
  sql`
    create table webhook_outbox (
      id bigint generated always as identity primary key,
      webhook uuid not null references webhooks on delete cascade,
      session uuid not null,
      payload jsonb not null,
      attempts integer not null default 0,
      next_at timestamptz not null default now(),
      delivered_at timestamptz,
      failed_at timestamptz,
      last_result text,
      created_at timestamptz not null default now()
    )`,
  sql`create index webhook_outbox_due on webhook_outbox (next_at) where delivered_at is null and failed_at is null`,
  sql`create index webhook_outbox_of_webhook on webhook_outbox (webhook)`,
];

/**
 * Coordinators listen on `implicam_sessions` for work, API processes on `implicam_events` for news and
 * `implicam_webhooks` for deliveries. A notification is a hint to look: who misses one finds the fact by polling.
 */
const triggers = [
  sql`
    create function implicam_session_changed() returns trigger language plpgsql as $$
    begin
      perform pg_notify('implicam_sessions', json_build_object(
        'session', new.id, 'state', new.state, 'cancel', new.cancel_requested)::text);
      return null;
    end $$`,
  sql`
    create trigger session_changed after update of state, cancel_requested on sessions for each row
    when ((old.state, old.cancel_requested) is distinct from (new.state, new.cancel_requested)
      and (new.state in ('queued', 'deleting') or new.cancel_requested))
    execute function implicam_session_changed()`,
  // Webhooks of the tenant get the event in the transaction that makes it a fact: neither can be without the other.
  sql`
    create function implicam_event_added() returns trigger language plpgsql as $$
    begin
      perform pg_notify('implicam_events', new.session || ':' || new.number);
      insert into webhook_outbox (webhook, session, payload)
        select w.id, new.session, jsonb_build_object(
          'type', new.type, 'session', new.session, 'number', new.number, 'at', new.created_at, 'data', new.data)
        from webhooks w join sessions s on s.tenant = w.tenant
        where s.id = new.session and w.active and new.type = any (w.events);
      if found then
        perform pg_notify('implicam_webhooks', '');
      end if;
      return null;
    end $$`,
  sql`
    create trigger event_added after insert on events for each row execute function implicam_event_added()`,
];

const made = [
  'webhook_outbox',
  'webhooks',
  'idempotency_keys',
  'renders',
  'models',
  'events',
  'shards',
  'training_runs',
  'upload_pieces',
  'uploads',
  'frames',
  'sessions',
  'rate_limits',
  'api_keys',
  'tenants',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...tables, ...triggers]) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of made) await sql`drop table ${sql.table(table)}`.execute(db);
  await sql`drop sequence queue_order`.execute(db);
  await sql`drop function implicam_session_changed, implicam_event_added`.execute(db);
}
