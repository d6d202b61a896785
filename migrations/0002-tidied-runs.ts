import { type Kysely, sql } from 'kysely';

/** When the scene and the snapshots of a training were taken out of the object store; null as long as they may be there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table training_runs add column tidied_at timestamptz`.execute(db);
  await sql`create index training_runs_untidied on training_runs (finished_at) where tidied_at is null`.execute(
    db,
  );
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table training_runs drop column tidied_at`.execute(db);
}
