import { type Kysely, sql } from 'kysely';
import { appendTo } from '../../database/append-events.js';
import type { Database } from '../../migrations/schema.js';
import { requirePicture } from '../../model/presets.js';
import type { Principal } from '../context.js';
import { refusal } from '../http/refusal.js';
import { lockSession, lockTenant } from '../sessions/sessions.js';

/** Asking for training, and asking it to stop. */

export interface TrainingRequest {
  readonly preset?: string;
  readonly quality?: string;
  readonly seed: number;
  readonly steps?: number;
  readonly resume: boolean;
}

/**
 * Puts a session into the queue.
 *
 * @throws ImplicamError `too-few-frames`, `session-busy`, `nothing-to-resume`, `quota-active`, `preset-mismatch`
 */
export async function startTraining(
  tx: Kysely<Database>,
  principal: Principal,
  id: string,
  request: TrainingRequest,
): Promise<void> {
  await lockTenant(tx, principal.tenant);
  const session = await lockSession(tx, principal.tenant, id);
  if (session.state === 'queued' || session.state === 'training') {
    throw refusal(409, 'session-busy', `the session is ${session.state} already: wait, or cancel it first`);
  }
  await requireFrames(tx, id);
  await requireActive(tx, principal);
  const { run, preset, quality } = request.resume
    ? await reopenRun(tx, id, session.run, session.state)
    : await openRun(tx, id, session, request);
  await tx
    .updateTable('sessions')
    .set({
      state: 'queued',
      run,
      queue_order: sql`nextval('queue_order')`,
      cancel_requested: false,
      error: null,
      phase: null,
      ...(request.resume ? {} : { step: null, steps_total: null, loss: null, psnr: null }),
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .execute();
  await appendTo(tx, id, [{ type: 'queued', data: { run, preset, quality } }]);
}

async function requireFrames(tx: Kysely<Database>, session: string): Promise<void> {
  const { count } = await tx
    .selectFrom('frames')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('session', '=', session)
    .executeTakeFirstOrThrow();
  if (count >= 2) return;
  throw refusal(
    422,
    'too-few-frames',
    count === 0
      ? 'the session has no photographs: send at least two that differ in focus or exposure'
      : 'the session has a single photograph: send at least one more that differs in focus or exposure',
  );
}

async function requireActive(tx: Kysely<Database>, { tenant, maxActive }: Principal): Promise<void> {
  const { count } = await tx
    .selectFrom('sessions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant', '=', tenant)
    .where('state', 'in', ['queued', 'training'])
    .executeTakeFirstOrThrow();
  if (count < maxActive) return;
  throw refusal(
    429,
    'quota-active',
    `this key trains at most ${maxActive} sessions at a time: wait for one to end`,
    30,
  );
}

async function openRun(
  tx: Kysely<Database>,
  id: string,
  session: { run: number; preset: string; quality: string },
  request: TrainingRequest,
) {
  const run = session.run + 1;
  const { preset = session.preset, quality = session.quality, seed, steps } = request;
  requirePicture(preset, quality);
  await tx
    .insertInto('training_runs')
    .values({ session: id, number: run, state: 'queued', preset, quality, seed, steps: steps ?? null })
    .execute();
  return { run, preset, quality };
}

async function reopenRun(tx: Kysely<Database>, id: string, run: number, state: string) {
  if (state === 'cancelled' || state === 'failed') {
    const row = await tx
      .updateTable('training_runs')
      .set({ state: 'queued', error: null, finished_at: null })
      .where('session', '=', id)
      .where('number', '=', run)
      .returning(['preset', 'quality'])
      .executeTakeFirst();
    if (row) return { run, ...row };
  }
  throw refusal(
    409,
    'nothing-to-resume',
    `the session is ${state}: only a training that was cancelled or failed can be resumed; leave out "resume"`,
  );
}

/** Stops a training: at once where it waits, else as soon as its coordinator hears of it. @returns whether at once */
export async function cancelTraining(
  tx: Kysely<Database>,
  principal: Principal,
  id: string,
): Promise<boolean> {
  const session = await lockSession(tx, principal.tenant, id);
  if (session.state === 'training') {
    await tx
      .updateTable('sessions')
      .set({ cancel_requested: true, updated_at: sql`now()` })
      .where('id', '=', id)
      .execute();
    return false;
  }
  if (session.state !== 'queued') {
    throw refusal(409, 'not-training', `the session is ${session.state}: there is no training to cancel`);
  }
  await tx
    .updateTable('sessions')
    .set({ state: 'cancelled', queue_order: null, cancel_requested: false, updated_at: sql`now()` })
    .where('id', '=', id)
    .execute();
  await tx
    .updateTable('training_runs')
    .set({ state: 'cancelled', finished_at: sql`now()` })
    .where('session', '=', id)
    .where('number', '=', session.run)
    .execute();
  await appendTo(tx, id, [{ type: 'cancelled', data: { step: session.step } }]);
  return true;
}
