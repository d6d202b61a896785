import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.js';

const folders: string[] = [];
async function newFolder(mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'implicam-postgres-'));
  folders.push(folder);
  await chmod(folder, mode);
  return folder;
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

test('keeps what it was told over a restart, and can be taken over while it runs', async () => {
  const folder = await newFolder();
  const first = await startEmbeddedPostgres({ folder, durable: false });
  expect(first.adopted).toBe(false);
  await query(first.url, 'create table facts (n integer); insert into facts values (7)');

  // As after kill -9 of the process that started it: the server runs, and nobody knows of it.
  const second = await startEmbeddedPostgres({ folder, durable: false });
  expect(second.adopted).toBe(true);
  expect(second.pid).toBe(first.pid);
  await second.stop();
  await expect(query(second.url, 'select 1')).rejects.toThrow();

  const third = await startEmbeddedPostgres({ folder, durable: false });
  try {
    expect(third.adopted).toBe(false);
    expect((await query(third.url, 'select n from facts')).rows).toEqual([{ n: 7 }]);
  } finally {
    await third.stop();
  }
});

test('starts again after it was killed itself, and says that it ended', async () => {
  const folder = await newFolder();
  let told: () => void = () => undefined;
  const exited = new Promise<void>((done) => {
    told = done;
  });
  const first = await startEmbeddedPostgres({ folder, onExit: () => told() });
  await query(first.url, 'create table facts (n integer); insert into facts values (7)');
  process.kill(first.pid, 'SIGKILL');
  await exited;
  const second = await startEmbeddedPostgres({ folder });
  try {
    expect((await query(second.url, 'select n from facts')).rows).toEqual([{ n: 7 }]);
  } finally {
    await second.stop();
  }
});

test('works below a folder that is closed to other users', async () => {
  const folder = join(await newFolder(0o700), 'server');
  const server = await startEmbeddedPostgres({ folder, durable: false });
  try {
    expect((await query(server.url, 'select 1 as one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await server.stop();
  }
});
