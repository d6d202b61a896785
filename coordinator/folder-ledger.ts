import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ImplicamError } from '../model/errors.js';
import type { ObjectStore } from '../store/objects.js';
import { type Manifest, manifestKey, manifestSchema, SESSION_ID, snapshotKeys } from '../store/scene.js';
import type { CommitRecord, Ledger, LedgerListener, SessionEnd } from './ledger.js';
import { readSummary, specOf } from './session-spec.js';

const leaseKey = (session: string) => `sessions/${session}/lease.json`;
const endKey = (session: string) => `sessions/${session}/end.json`;

const leaseSchema = z.object({ number: z.int().min(1), owner: z.string() });
/**
 * Sessions of the object store alone, for one machine and no database: those that are submitted, and at start those that
 * an earlier coordinator left unfinished. A later claim takes a session over from an earlier one, which finds out when it
 * next writes. Two coordinators that write in the same instant are not kept apart; that is what Postgres is for.
 */
export class FolderLedger implements Ledger {
  private readonly store: ObjectStore;
  private readonly spread: boolean;
  private readonly owner = randomBytes(8).toString('hex');
  private readonly leases = new Map<string, { number: number; durable: number }>();
  private listener: LedgerListener | undefined;

  /** @param spread reckon that exchanging gradients costs nothing, so that a session uses all runners */
  constructor(store: ObjectStore, { spread = false } = {}) {
    this.store = store;
    this.spread = spread;
  }

  async start(listener: LedgerListener): Promise<void> {
    this.listener = listener;
    const keys = new Set(await this.store.list('sessions/'));
    for (const key of keys) {
      const session = /^sessions\/([^/]+)\/lease\.json$/.exec(key)?.[1];
      if (session && !keys.has(endKey(session))) await this.claim(session);
    }
  }

  /** @throws ImplicamError `object-missing` where the session's scene was not put into the store first */
  async submit(session: string): Promise<void> {
    if (!SESSION_ID.test(session)) {
      throw new ImplicamError(
        'session-invalid',
        `'${session.slice(0, 80)}' is no session id: up to 64 letters, digits, '-' and '_'`,
      );
    }
    if (!this.leases.has(session)) await this.claim(session);
  }

  async commit({ session, epoch, step, pieces }: CommitRecord): Promise<void> {
    const lease = this.leases.get(session);
    const { number } = (await this.readLease(session)) ?? { number: 0 };
    if (!lease || number !== lease.number) {
      throw new ImplicamError('lease-lost', `another coordinator has session ${session}`);
    }
    const manifest: Manifest = {
      session,
      step,
      epoch,
      pieces: pieces.map(({ key, sha256, bytes }) => ({ key, sha256, bytes })),
    };
    await this.store.put(manifestKey(session), Buffer.from(JSON.stringify(manifest)));
    if (lease.durable < step) await this.store.deletePrefix(snapshotKeys.folder(session, lease.durable));
    lease.durable = step;
  }

  async end(session: string, end: SessionEnd): Promise<void> {
    this.leases.delete(session);
    await this.store.put(endKey(session), Buffer.from(JSON.stringify(end)));
  }

  async close(): Promise<void> {
    this.leases.clear();
  }

  private async claim(session: string): Promise<void> {
    const summary = await readSummary(this.store, session);
    const manifest = await readManifest(this.store, session);
    const number = ((await this.readLease(session))?.number ?? 0) + 1;
    await this.store.put(leaseKey(session), Buffer.from(JSON.stringify({ number, owner: this.owner })));
    const durable = manifest?.step ?? summary.from;
    this.leases.set(session, { number, durable });
    const spec = specOf(session, summary, number, durable);
    this.listener!.onClaimed(this.spread ? { ...spec, hopMs: 0 } : spec);
  }

  private async readLease(session: string) {
    if ((await this.store.size(leaseKey(session))) === undefined) return undefined;
    return leaseSchema.parse(JSON.parse((await this.store.read(leaseKey(session))).toString()));
  }
}

/** The newest whole snapshot of a session; undefined where there is none but its first. */
export async function readManifest(store: ObjectStore, session: string): Promise<Manifest | undefined> {
  if ((await store.size(manifestKey(session))) === undefined) return undefined;
  return manifestSchema.parse(JSON.parse((await store.read(manifestKey(session))).toString()));
}
