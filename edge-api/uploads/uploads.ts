import { type Selectable, sql } from 'kysely';
import { type Db, json, secondsFromNow } from '../../database/connection.js';
import type { UploadTable } from '../../migrations/schema.js';
import type { ObjectStore } from '../../store/objects.js';
import type { Deps, Principal } from '../context.js';
import { readBody } from '../http/body.js';
import { refusal } from '../http/refusal.js';
import {
  type FrameClaim,
  newFrameKey,
  requireDigest,
  requireSpace,
  storeBytes,
  type Taken,
  takeFrame,
} from '../photographs/photographs.js';
import { lockTenant } from '../sessions/sessions.js';

/**
 * Resumable uploads, by the tus protocol 1.0.0. What arrives is stored in pieces, and each piece is a fact before its
 * bytes are acknowledged: after a break, a crash or a move to another process the client goes on behind the last one.
 * (Our own and not @tus/server, whose stores and locks want a file system; this runs where the app runs.)
 */

export type Upload = Selectable<UploadTable>;

export interface NewUpload extends FrameClaim {
  readonly bytes: number;
  readonly sha256: Buffer | null;
  /** The Upload-Metadata header as it came, to be given back. */
  readonly metadata: string;
}

/** Begins an upload; its bytes count for the tenant's quota from now on. @throws ImplicamError `quota-bytes`, `busy` */
export async function createUpload(
  deps: Deps,
  db: Db,
  principal: Principal,
  session: string,
  upload: NewUpload,
): Promise<Upload> {
  return db.transaction().execute(async (tx) => {
    await lockTenant(tx, principal.tenant);
    await requireSpace(tx, principal, upload.bytes);
    const { count } = await tx
      .selectFrom('uploads')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('session', '=', session)
      .executeTakeFirstOrThrow();
    if (count >= 2 * deps.limits.frames) {
      throw refusal(429, 'busy', 'the session has too many uploads begun: end some, or give them up', 60);
    }
    return tx
      .insertInto('uploads')
      .values({
        session,
        number: upload.number,
        name: upload.name,
        bytes_total: upload.bytes,
        camera: json({ ...upload.camera }),
        sha256: upload.sha256,
        metadata: upload.metadata,
        expires_at: secondsFromNow(deps.limits.uploadSeconds),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/** An upload of a session. @throws ImplicamError `upload-missing` (404; 410 once it has expired) */
export async function readUpload(db: Db, session: string, id: string): Promise<Upload> {
  const row = await db
    .selectFrom('uploads')
    .selectAll()
    .select(sql<boolean>`expires_at < now()`.as('expired'))
    .where('id', '=', id)
    .where('session', '=', session)
    .executeTakeFirst();
  if (!row) throw refusal(404, 'upload-missing', `there is no upload ${id}: begin a new one`);
  if (row.expired)
    throw refusal(410, 'upload-expired', 'the upload lay unfinished too long: begin a new one');
  return row;
}

/**
 * Takes in what a request brings from `offset` on. When the client breaks off, what came before is kept.
 *
 * @returns bytes received so far
 * @throws ImplicamError `upload-offset` (409) where the client is at another place than the upload
 */
export async function appendToUpload(
  deps: Deps,
  db: Db,
  upload: Upload,
  offset: number,
  request: Request,
): Promise<number> {
  if (offset !== upload.bytes_received || upload.state !== 'open') {
    throw wrongOffset(upload.bytes_received);
  }
  const { limits, objects } = deps;
  let at = offset;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const flush = async (): Promise<void> => {
    if (heldBytes === 0) return;
    await storePiece(db, objects, upload, at, held, heldBytes, limits.uploadSeconds);
    at += heldBytes;
    held = [];
    heldBytes = 0;
  };
  try {
    for await (const bytes of readBody(request, upload.bytes_total - offset, limits)) {
      held.push(bytes);
      heldBytes += bytes.length;
      if (heldBytes >= limits.pieceBytes) await flush();
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'upload-offset') await flush();
    throw error;
  }
  await flush();
  deps.metrics?.uploaded(at - offset);
  return at;
}

/** Stores one piece and makes it count, unless another request was faster. */
async function storePiece(
  db: Db,
  objects: ObjectStore,
  upload: Upload,
  start: number,
  pieces: readonly Uint8Array[],
  bytes: number,
  lifeSeconds: number,
): Promise<void> {
  const key = `sessions/${upload.session}/uploads/${upload.id}/${start}-${crypto.randomUUID()}`;
  await objects.put(key, pieces);
  try {
    await db.transaction().execute(async (tx) => {
      const moved = await tx
        .updateTable('uploads')
        .set({ bytes_received: start + bytes, expires_at: secondsFromNow(lifeSeconds) })
        .where('id', '=', upload.id)
        .where('state', '=', 'open')
        .where('bytes_received', '=', start)
        .returning('id')
        .executeTakeFirst();
      if (!moved) throw wrongOffset(start);
      await tx
        .insertInto('upload_pieces')
        .values({ upload: upload.id, start, bytes, object_key: key })
        .execute();
    });
  } catch (error) {
    // Kept where the answer of the database was lost: the piece may count.
    if ((error as { code?: string }).code === 'upload-offset') await objects.delete([key]);
    throw error;
  }
}

const wrongOffset = (at: number) =>
  refusal(409, 'upload-offset', `the upload is at byte ${at}: ask where it is (HEAD) and go on from there`);

/**
 * Makes a complete upload a frame of its session. Called again after a crash or a refusal it gives the same; the upload
 * goes once it has become a frame or was refused for good.
 */
export async function finishUpload(deps: Deps, db: Db, principal: Principal, upload: Upload): Promise<Taken> {
  const pieces = await db
    .selectFrom('upload_pieces')
    .selectAll()
    .where('upload', '=', upload.id)
    .orderBy('start')
    .execute();
  async function* joined() {
    for (const { object_key: key } of pieces) yield* await deps.objects.stream(key);
  }
  const key = newFrameKey(upload.session, upload.number);
  const stored = await storeBytes(deps.objects, key, joined());
  try {
    requireDigest(stored.sha256, upload.sha256);
    const { number, name, camera, bytes_total: reserved } = upload;
    const claim = { number, name, camera, reserved };
    const taken = await takeFrame(deps, db, principal, upload.session, claim, stored);
    await db.updateTable('uploads').set({ state: 'done' }).where('id', '=', upload.id).execute();
    await dropPieces(deps, db, upload);
    return taken;
  } catch (error) {
    const status = (error as { status?: number }).status ?? 500;
    if (status < 500 && status !== 409) await deleteUpload(deps, db, upload);
    await deps.objects.delete([key]);
    throw error;
  }
}

async function dropPieces(deps: Deps, db: Db, upload: Upload): Promise<void> {
  await deps.objects.deletePrefix(`sessions/${upload.session}/uploads/${upload.id}/`);
  await db.deleteFrom('upload_pieces').where('upload', '=', upload.id).execute();
}

/** Forgets an upload and what came of it; a frame that it became stays. */
export async function deleteUpload(deps: Deps, db: Db, upload: Upload): Promise<void> {
  await db.deleteFrom('uploads').where('id', '=', upload.id).execute();
  await deps.objects.deletePrefix(`sessions/${upload.session}/uploads/${upload.id}/`);
}
