import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ImplicamError } from '../../model/errors.js';
import type { ObjectStore } from '../../store/objects.js';
import { type Manifest, manifestKey, manifestSchema, SESSION_ID } from '../../store/scene/keys.js';
import type { CommitRecord, Ledger, LedgerListener, TrainingEnd } from './ledger.js';
import { dropOlder, readSummary, specOf } from './training-spec.js';

const leaseKey = (training: string) => `sessions/${training}/lease.json`;
const endKey = (training: string) => `sessions/${training}/end.json`;

const leaseSchema = z.object({ number: z.int().min(1), owner: z.string() });

/** Codes of a scene that is not there, or not what was written. */
const UNREADABLE = ['object-missing', 'session-unusable'];

/** Epoch and step of the newest manifest: an earlier one is never written after it. */
interface Newest {
  readonly epoch: number;
  readonly step: number;
}

/**
 * Trainings in the object store alone, for one machine without a database: those that are submitted, and at start those that
 * an earlier coordinator left unfinished. A later claim takes a training over from an earlier one, which notices at its
 * next write. Two coordinators that write at the same instant are not detected; use Postgres for that.
 */
export class FolderLedger implements Ledger {
  private readonly store: ObjectStore;
  private readonly spread: boolean;
  private readonly log: (line: string) => void;
  private readonly owner = randomBytes(8).toString('hex');
  private readonly leases = new Map<string, { number: number; from: number; newest: Newest }>();
  private listener: LedgerListener | undefined;

  /** @param spread assume that exchanging gradients costs nothing, so that a training uses all runners */
  constructor(
    store: ObjectStore,
    { spread = false, log = () => undefined }: { spread?: boolean; log?: (line: string) => void } = {},
  ) {
    this.store = store;
    this.spread = spread;
    this.log = log;
  }

  async start(listener: LedgerListener): Promise<void> {
    this.listener = listener;
    const keys = new Set(await this.store.list('sessions/'));
    for (const key of keys) {
      const training = /^sessions\/([^/]+)\/lease\.json$/.exec(key)?.[1];
      if (!training || keys.has(endKey(training))) continue;
      await this.claim(training).catch((error) => {
        // One scene that cannot be read is no reason to leave the others.
        if (!UNREADABLE.includes(error.code)) throw error;
        this.log(`training ${training} is not taken up: ${error.message}`);
      });
    }
  }

  /**
   * @throws ImplicamError `object-missing` where the training's scene was not put into the store first, `session-unusable` where
   * it is damaged or of another version
   */
  async submit(training: string): Promise<void> {
    if (!SESSION_ID.test(training)) {
      throw new ImplicamError(
        'training-invalid',
        `'${training.slice(0, 80)}' is no training id: up to 64 letters, digits, '-' and '_'`,
      );
    }
    if (!this.leases.has(training)) await this.claim(training);
  }

  async commit({ training, epoch, step, engine, snapshots }: CommitRecord): Promise<void> {
    const lease = this.leases.get(training);
    const { number } = (await this.readLease(training)) ?? { number: 0 };
    if (!lease || number !== lease.number) {
      throw new ImplicamError('lease-lost', `another coordinator has training ${training}`);
    }
    const { newest } = lease;
    if (epoch < newest.epoch || (epoch === newest.epoch && step < newest.step)) {
      throw new ImplicamError(
        'snapshot-order',
        `training ${training} has a snapshot after step ${newest.step} already`,
      );
    }
    lease.newest = { epoch, step };
    await writeManifest(this.store, training, { epoch, engine, snapshots });
    await dropOlder(this.store, training, lease.from, snapshots);
  }

  async end(training: string, end: TrainingEnd): Promise<void> {
    this.leases.delete(training);
    await this.store.put(endKey(training), Buffer.from(JSON.stringify(end)));
  }

  async close(): Promise<void> {
    this.leases.clear();
  }

  private async claim(training: string): Promise<void> {
    const summary = await readSummary(this.store, training);
    const manifest = await readManifest(this.store, training).catch((error) => {
      // Training from the start costs time and changes no bit.
      if (error.code !== 'manifest-damaged') throw error;
      this.log(`training ${training} starts over: ${error.message}`);
      return undefined;
    });
    const number = ((await this.readLease(training))?.number ?? 0) + 1;
    await this.store.put(leaseKey(training), Buffer.from(JSON.stringify({ number, owner: this.owner })));
    const newest = { epoch: manifest?.epoch ?? 0, step: manifest?.snapshots[0]?.step ?? summary.from };
    this.leases.set(training, { number, from: summary.from, newest });
    const spec = specOf(training, summary, number, manifest);
    this.listener!.onClaimed(this.spread ? { ...spec, hopMs: 0 } : spec);
  }

  private async readLease(training: string) {
    if ((await this.store.size(leaseKey(training))) === undefined) return undefined;
    return leaseSchema.parse(JSON.parse((await this.store.read(leaseKey(training))).toString()));
  }
}

async function writeManifest(store: ObjectStore, training: string, manifest: Manifest): Promise<void> {
  await store.put(manifestKey(training), Buffer.from(JSON.stringify(manifest)));
}

/**
 * The whole snapshots of a training; undefined where there is none but its first.
 *
 * @throws ImplicamError `manifest-damaged`
 */
export async function readManifest(store: ObjectStore, training: string): Promise<Manifest | undefined> {
  const key = manifestKey(training);
  if ((await store.size(key)) === undefined) return undefined;
  const bytes = await store.read(key);
  try {
    return manifestSchema.parse(JSON.parse(bytes.toString()));
  } catch (cause) {
    throw new ImplicamError('manifest-damaged', `${key} of the object store is not what was written`, {
      status: 500,
      cause,
    });
  }
}
