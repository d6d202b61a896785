import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Kysely, Selectable } from 'kysely';
import { sql } from 'kysely';
import { appendTo } from '../../database/append-events.js';
import { type Db, json } from '../../database/connection.js';
import type { Database, FrameTable } from '../../migrations/schema.js';
import type { CameraSettings } from '../../model/picture.js';
import type { ObjectStore } from '../../store/objects.js';
import type { Deps, Principal } from '../context.js';
import { refusal } from '../http/refusal.js';
import type { FrameResource } from '../schemas.js';
import { lockSession, lockTenant, storedBytes } from '../sessions/sessions.js';
import type { InspectedPhotograph } from './inspector.js';

/** Taking photographs in. */

/** States in which the photographs of a session may change. */
const OPEN_STATES = ['draft', 'trained', 'failed', 'cancelled'];

export function requireOpen(state: string): void {
  if (OPEN_STATES.includes(state)) return;
  throw refusal(
    409,
    'session-busy',
    `the session is ${state}: its photographs can change once the training has ended or was cancelled`,
  );
}

/** What a client says of a photograph. */
export interface FrameClaim {
  readonly number: number;
  readonly name: string;
  readonly camera: CameraSettings;
  /** Bytes that the tenant's quota holds for it already. */
  readonly reserved?: number;
}

/** A photograph that lies in the object store and is no fact yet. */
export interface StoredPhotograph {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: Buffer;
}

/**
 * The last part of a client's path, without what names should not have; never used as a path. "../../etc/passwd" is
 * passwd.
 */
export function fileName(given: string | undefined, number: number): string {
  const last = (given ?? '').split(/[\\/]/).at(-1)!;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = last.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  return /^\.*$/.test(clean) ? `frame-${number}` : clean.slice(-200);
}

/** A key for a photograph that no other has: what was stored once under a key never changes. */
export function newFrameKey(session: string, number: number): string {
  return `sessions/${session}/frames/${number}-${crypto.randomUUID()}`;
}

/** Stores bytes as they come. @throws what the bytes throw; nothing stays then */
export async function storeBytes(
  objects: ObjectStore,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<StoredPhotograph> {
  const hash = createHash('sha256');
  let size = 0;
  async function* counted() {
    for await (const piece of bytes) {
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
  }
  await objects.put(key, Readable.from(counted(), { objectMode: false, highWaterMark: 256 * 1024 }));
  return { key, bytes: size, sha256: hash.digest() };
}

export function requireDigest(actual: Buffer, stated: Buffer | undefined | null): void {
  if (!stated || stated.equals(actual)) return;
  throw refusal(
    422,
    'digest-mismatch',
    'the photograph did not arrive as it was sent (its SHA-256 differs): send it again',
  );
}

/** Refuses what is more than the tenant may keep, before it is sent. */
export async function requireSpace(db: Kysely<Database>, principal: Principal, bytes: number): Promise<void> {
  const { tenant, maxBytes } = principal;
  if ((await storedBytes(db, tenant)) + bytes <= maxBytes) return;
  const gigabytes = Number((maxBytes / 2 ** 30).toPrecision(3));
  throw refusal(
    403,
    'quota-bytes',
    `this key keeps at most ${gigabytes} GB of photographs: delete some first`,
  );
}

export interface Taken {
  readonly row: Selectable<FrameTable>;
  /** Whether there was none of that number. */
  readonly created: boolean;
}

/**
 * Makes a stored photograph a frame of the session: judged, consistent with the others, within the quotas; a fact once
 * this has returned. Where it is refused its object is deleted.
 */
export async function takeFrame(
  deps: Deps,
  db: Db,
  principal: Principal,
  session: string,
  claim: FrameClaim,
  stored: StoredPhotograph,
): Promise<Taken> {
  const unused: string[] = [stored.key];
  try {
    const inspected = await deps.photographs.inspect({
      name: claim.name,
      bytes: stored.bytes,
      read: (offset, length) => deps.objects.read(stored.key, offset, length),
    });
    let previewKey: string | null = null;
    if (inspected.preview) {
      previewKey = `${stored.key}.preview.jpg`;
      unused.push(previewKey);
      await deps.objects.put(previewKey, inspected.preview);
    }
    const { taken, replaced } = await db
      .transaction()
      .execute((tx) =>
        insertFrame(tx, deps, principal, session, claim, { ...stored, ...inspected, previewKey }),
      );
    unused.splice(0, unused.length, ...replaced);
    return taken;
  } finally {
    await deps.objects.delete(unused).catch((err: unknown) => {
      deps.log.warn({ err, keys: unused }, 'objects that nothing refers to could not be deleted');
    });
  }
}

type JudgedFrame = StoredPhotograph & InspectedPhotograph & { readonly previewKey: string | null };

async function insertFrame(
  tx: Kysely<Database>,
  deps: Deps,
  principal: Principal,
  session: string,
  claim: FrameClaim,
  frame: JudgedFrame,
): Promise<{ taken: Taken; replaced: string[] }> {
  await lockTenant(tx, principal.tenant);
  const row = await lockSession(tx, principal.tenant, session);
  requireOpen(row.state);
  const others = await tx
    .selectFrom('frames')
    .selectAll()
    .where('session', '=', session)
    .where((e) => e.or([e('number', '=', claim.number), e('sha256', '=', frame.sha256)]))
    .execute();
  const old = others.find((other) => other.number === claim.number);
  if (old?.sha256.equals(frame.sha256) && sameJson(old.camera, { ...frame.camera, ...claim.camera })) {
    const again = [frame.key, ...(frame.previewKey ? [frame.previewKey] : [])];
    return { taken: { row: old, created: false }, replaced: again };
  }
  const copy = others.find((other) => other.number !== claim.number);
  if (copy) {
    throw refusal(
      409,
      'frames-duplicate',
      `${claim.name} is a copy of frame ${copy.number} (${copy.name}): send each photograph once`,
    );
  }
  await requireCount(tx, deps, session, claim.number);
  await requireSize(tx, session, claim, frame.size);
  await requireSpace(tx, principal, frame.bytes - (old?.bytes ?? 0) - (claim.reserved ?? 0));
  const values = {
    name: claim.name,
    bytes: frame.bytes,
    sha256: frame.sha256,
    format: frame.format,
    width: frame.size?.width ?? null,
    height: frame.size?.height ?? null,
    camera: json({ ...frame.camera, ...claim.camera }),
    object_key: frame.key,
    preview_key: frame.previewKey,
    state: frame.checked ? ('checked' as const) : ('unchecked' as const),
  };
  const inserted = await tx
    .insertInto('frames')
    .values({ session, number: claim.number, ...values })
    .onConflict((conflict) => conflict.columns(['session', 'number']).doUpdateSet(values))
    .returningAll()
    .executeTakeFirstOrThrow();
  await photographsChanged(tx, session, frame.size);
  const { number, name, bytes } = inserted;
  const sha256 = inserted.sha256.toString('hex');
  await appendTo(tx, session, [{ type: 'frame', data: { number, name, bytes, sha256 } }]);
  const replaced = old ? [old.object_key, ...(old.preview_key ? [old.preview_key] : [])] : [];
  return { taken: { row: inserted, created: !old }, replaced };
}

const sameJson = (a: Record<string, unknown>, b: object) => {
  const sorted = (value: object) =>
    JSON.stringify(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)));
  return sorted(a) === sorted(JSON.parse(JSON.stringify(b)));
};

/** Refuses a photograph more than a session takes. */
export async function requireCount(
  tx: Kysely<Database>,
  deps: Deps,
  session: string,
  number: number,
): Promise<void> {
  const { count } = await tx
    .selectFrom('frames')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('session', '=', session)
    .where('number', '<>', number)
    .executeTakeFirstOrThrow();
  if (count < deps.limits.frames) return;
  throw refusal(
    413,
    'frames-too-many',
    `a session takes at most ${deps.limits.frames} photographs: choose among them`,
  );
}

/** All frames have one size. The others decide: a frame that replaces the only one may have another. */
async function requireSize(
  tx: Kysely<Database>,
  session: string,
  claim: FrameClaim,
  size: InspectedPhotograph['size'],
): Promise<void> {
  if (!size) return;
  const other = await tx
    .selectFrom('frames')
    .select(['number', 'name', 'width', 'height'])
    .where('session', '=', session)
    .where('number', '<>', claim.number)
    .where('width', 'is not', null)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
  if (!other || (other.width === size.width && other.height === size.height)) return;
  throw refusal(
    422,
    'frames-mismatched',
    `${claim.name} is ${size.width} × ${size.height} pixels, but frame ${other.number} (${other.name}) is ` +
      `${other.width} × ${other.height}: send photographs of one capture, all of one size and orientation`,
  );
}

/** What follows when photographs come or go: the session's size, and that no snapshot fits them any more. */
export async function photographsChanged(
  tx: Kysely<Database>,
  session: string,
  size: InspectedPhotograph['size'],
): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ width: size?.width ?? null, height: size?.height ?? null, updated_at: sql`now()` })
    .where('id', '=', session)
    .execute();
  await tx
    .updateTable('training_runs')
    .set({ snapshot_step: null, snapshot: null })
    .where('session', '=', session)
    .where('snapshot_step', 'is not', null)
    .execute();
}

export function presentFrame(row: Selectable<FrameTable>): FrameResource {
  return {
    number: row.number,
    name: row.name,
    bytes: row.bytes,
    sha256: row.sha256.toString('hex'),
    format: row.format,
    width: row.width,
    height: row.height,
    camera: row.camera,
    state: row.state,
    createdAt: row.created_at.toISOString(),
  };
}
