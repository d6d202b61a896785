import { type Kysely, sql } from 'kysely';

/** Whether the results of a session say where its photographs were taken; nobody has asked for that before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column gps boolean not null default false`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions drop column gps`.execute(db);
}
