import { claimNext, release, renew } from '../../database/claims.js';
import type { Db } from '../../database/connection.js';
import { type Listener, listen } from '../../database/listener.js';
import {
  cancelled,
  commitSnapshot,
  fail,
  finish,
  recordPhase,
  recordTidied,
  replaceSnapshots,
} from '../../database/training-records.js';
import { assert, ImplicamError } from '../../model/errors.js';
import type { ObjectStore } from '../../store/objects.js';
import { type Manifest, manifestSchema, type SceneSummary, trainingFolders } from '../../store/scene/keys.js';
import type { Command } from '../scheduler/types.js';
import type { RunnerCalls } from '../wire/runner-calls.js';
import { describeDamage } from '../wire/translate.js';
import { HeldTraining } from './held-training.js';
import type { CommitRecord, Ledger, LedgerListener, TrainingEnd } from './ledger.js';
import { finishScene, prepareScene, type SceneTask } from './scene-work.js';
import { dropOlder, readSummary, specOf } from './training-spec.js';

export interface PostgresLedgerOptions {
  readonly db: Db;
  /** For LISTEN, on a connection of its own. */
  readonly databaseUrl: string;
  readonly store: ObjectStore;
  readonly calls: RunnerCalls;
  /** Name of this process among coordinators. */
  readonly owner: string;
  /** Trainings held at a time; more stay in the queue for other coordinators. @default 16 */
  readonly capacity?: number;
  /** @default 15 */
  readonly leaseSeconds?: number;
  readonly log: (line: string) => void;
}

/**
 * Trainings of the database's sessions: claimed by lease, prepared and finished by runners, their progress written as
 * events. A training is named SESSION/runs/N: that is also where its objects lie.
 */
export class PostgresLedger implements Ledger {
  private readonly options: PostgresLedgerOptions;
  private readonly held = new Map<string, HeldTraining>();
  private listener: LedgerListener | undefined;
  private notifications: Listener | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private claiming: Promise<void> | undefined;
  private claimAgain = false;
  private closed = false;

  constructor(options: PostgresLedgerOptions) {
    this.options = options;
  }

  async start(listener: LedgerListener): Promise<void> {
    this.listener = listener;
    const { databaseUrl, leaseSeconds = 15 } = this.options;
    this.notifications = listen(databaseUrl, {
      channels: ['implicam_sessions'],
      pollSeconds: 2,
      onWake: () => {
        this.claimAll();
        void this.renewAll();
      },
    });
    this.renewal = setInterval(() => void this.renewAll(), (1000 * leaseSeconds) / 4);
    this.claimAll();
  }

  async commit(record: CommitRecord): Promise<void> {
    const held = this.held.get(record.training);
    if (!held) throw new ImplicamError('lease-lost', `training ${record.training} is not held here`);
    const { db, store } = this.options;
    const { training, step, epoch, engine, snapshots } = record;
    const manifest: Manifest = { epoch, engine, snapshots };
    await commitSnapshot(db, held.lease, step, manifest);
    held.manifest = manifest;
    await dropOlder(store, training, held.summary!.from, snapshots).catch((error) =>
      // The next commit finds them again.
      this.options.log(`training ${training}: older snapshots were not deleted: ${error}`),
    );
  }

  async end(training: string, end: TrainingEnd): Promise<void> {
    const held = this.held.get(training);
    if (!held) return;
    try {
      if (end.kind === 'finished') await this.finishTraining(training, held, end.step);
      else if (end.kind === 'cancelled')
        await held.writeWithRetries(() => cancelled(this.options.db, held.lease));
      else await this.failed(held, end);
    } finally {
      this.held.delete(training);
      this.claimAll();
    }
  }

  onCommand(command: Command): void {
    if ('training' in command) this.held.get(command.training)?.onCommand(command);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.renewal);
    await this.notifications?.close();
    await this.claiming;
    const trainings = [...this.held.values()];
    this.held.clear();
    await Promise.allSettled(
      trainings.map(async (held) => {
        await held.close();
        await release(this.options.db, held.lease);
      }),
    );
  }

  /** Claims what waits, up to the capacity. */
  private claimAll(): void {
    this.claimAgain = true;
    this.claiming ??= (async () => {
      while (this.claimAgain && !this.closed) {
        this.claimAgain = false;
        await this.claimSome().catch((error) => this.options.log(`cannot look for sessions: ${error}`));
      }
    })().finally(() => {
      this.claiming = undefined;
    });
  }

  private async claimSome(): Promise<void> {
    const { db, owner, capacity = 16, leaseSeconds = 15 } = this.options;
    while (this.held.size < capacity && !this.closed) {
      const claim = await claimNext(db, owner, leaseSeconds);
      if (!claim) return;
      const held = new HeldTraining(db, claim, this.options.log);
      const { training } = held;
      this.held.set(training, held);
      this.prepare(training, held).catch((error) => this.giveUp(training, held, error));
    }
  }

  /** From a claim to a training that the scheduler has: prepares the scene where there is none yet. */
  private async prepare(training: string, held: HeldTraining): Promise<void> {
    const { db } = this.options;
    const { claim, lease } = held;
    if (claim.cancelRequested)
      return this.end(training, { kind: 'cancelled', step: claim.snapshot?.step ?? 0 });
    const summary = await this.readOrPrepareScene(training, held);
    if (held.ending.signal.aborted) return;
    held.summary = summary;
    held.manifest = this.readManifest(held);
    // A database that is away for a moment is no fault of the training.
    // A picture that is wanted at once is not said to be learned.
    if (summary.steps > 0) await held.writeWithRetries(() => recordPhase(db, lease, 'train', summary.steps));
    if (held.ending.signal.aborted) return;
    held.scheduled = true;
    this.listener!.onClaimed(specOf(training, summary, lease.number, held.manifest));
  }

  /** The scene of a training. One that is missing or unreadable is prepared, with the same result each time. */
  private async readOrPrepareScene(training: string, held: HeldTraining): Promise<SceneSummary> {
    const { store } = this.options;
    try {
      return await readSummary(store, training);
    } catch (error) {
      const { code } = error as ImplicamError;
      if (code !== 'object-missing' && code !== 'session-unusable') throw error;
    }
    await prepareScene(this.taskOf(training, held), (event) => held.onPreparation(event));
    return readSummary(store, training);
  }

  /** The manifest that an earlier coordinator wrote. One that cannot be read costs the time of training from the start. */
  private readManifest(held: HeldTraining): Manifest | undefined {
    const { snapshot } = held.claim;
    if (snapshot === null) return undefined;
    const read = manifestSchema.safeParse(snapshot.manifest);
    if (read.success) return read.data;
    const text = 'what was stored of the training cannot be read by this version: training starts over';
    held.append({ type: 'note', data: { text } });
    return undefined;
  }

  private async giveUp(training: string, held: HeldTraining, error: unknown): Promise<void> {
    if (held.ending.signal.aborted || this.closed) return;
    const known = error instanceof ImplicamError;
    if (known && error.code === 'lease-lost') {
      this.held.delete(training);
      return;
    }
    const code = known ? error.code : 'internal';
    const message = error instanceof Error ? error.message : String(error);
    this.options.log(`training ${training} cannot be prepared: ${message}`);
    await this.end(training, { kind: 'failed', code, message }).catch((e) => this.options.log(String(e)));
  }

  /** Makes model and results: the session is trained. Then deletes the scene and the snapshots, which nobody needs any more. */
  private async finishTraining(training: string, held: HeldTraining, step: number): Promise<void> {
    const { db, store, log } = this.options;
    const { snapshots } = held.manifest ?? { snapshots: [] };
    const pieces = snapshots.find((snapshot) => snapshot.step === step)?.pieces ?? held.summary!.pieces;
    await held.writeWithRetries(() => recordPhase(db, held.lease, 'render'));
    try {
      const result = await finishScene(this.taskOf(training, held), { step, pieces });
      const { model, outputs, parametersSha256, loss, psnr } = result;
      assert(model, 'a finished scene has a model');
      await held.writeWithRetries(() =>
        finish(db, held.lease, {
          objectKey: model.key,
          bytes: model.bytes,
          sha256: Buffer.from(model.sha256, 'hex'),
          parametersSha256,
          steps: step,
          loss: Number.isFinite(loss) ? loss : null,
          psnr: Number.isFinite(psnr) ? psnr : null,
          outputs: outputs.map(({ name, key, type, bytes }) => ({ name, key, type, bytes })),
        }),
      );
    } catch (error) {
      if (held.ending.signal.aborted || (error instanceof ImplicamError && error.code === 'lease-lost'))
        return;
      log(`training ${training} could not be finished: ${error}`);
      const { code = 'internal', message = String(error) } = error as Partial<ImplicamError>;
      if (code === 'object-damaged' && step > held.summary!.from)
        await this.rollBack(training, held, step, message);
      else await this.failed(held, { code, message });
      return;
    }
    try {
      for (const folder of trainingFolders(training)) await store.deletePrefix(folder);
      await recordTidied(db, held.lease.session, held.claim.run);
    } catch (error) {
      // Nobody waits for it: maintenance (edge-api/service/maintenance.ts) finds what is left.
      log(`training ${training}: its scene and snapshots were not deleted: ${error}`);
    }
  }

  /** The last snapshot is damaged: whoever claims the training next goes on from the one before. */
  private async rollBack(training: string, held: HeldTraining, step: number, message: string): Promise<void> {
    const { db, log } = this.options;
    const { manifest, lease } = held;
    const snapshots = (manifest?.snapshots ?? []).filter((snapshot) => snapshot.step !== step);
    const left = snapshots[0]?.step ?? null;
    const text = describeDamage({ step, left: left ?? held.summary!.from, message });
    log(`training ${training}: ${text}`);
    held.append({ type: 'note', data: { text } });
    await held.writeWithRetries(() =>
      replaceSnapshots(
        db,
        lease,
        manifest && left !== null ? { step: left, manifest: { ...manifest, snapshots } } : null,
      ),
    );
    await release(db, lease);
  }

  private failed(held: HeldTraining, { code, message }: { code: string; message: string }): Promise<void> {
    return held.writeWithRetries(() => fail(this.options.db, held.lease, { code, message }));
  }

  private taskOf(training: string, held: HeldTraining): SceneTask {
    return {
      calls: this.options.calls,
      training,
      claim: held.claim,
      signal: held.ending.signal,
      onWaiting: (reason) => held.appendWaiting(reason),
    };
  }

  private async renewAll(): Promise<void> {
    const { db, leaseSeconds = 15, log } = this.options;
    await Promise.all(
      [...this.held].map(async ([training, held]) => {
        try {
          const instruction = await renew(db, held.lease, leaseSeconds);
          if (this.held.get(training) !== held) return;
          if (instruction === 'cancel') this.cancel(training, held);
          else if (instruction !== 'continue') await this.drop(training, held, instruction === 'delete');
        } catch (error) {
          log(`training ${training}: its lease could not be renewed: ${error}`);
        }
      }),
    );
  }

  private cancel(training: string, held: HeldTraining): void {
    if (held.scheduled) {
      this.listener!.onCancel(training);
      return;
    }
    if (held.ending.signal.aborted) return;
    held.ending.abort();
    this.end(training, { kind: 'cancelled', step: held.claim.snapshot?.step ?? 0 }).catch((e) =>
      this.options.log(String(e)),
    );
  }

  /** Drops a training: another coordinator has it, or its session is to be deleted. */
  private async drop(training: string, held: HeldTraining, deleted: boolean): Promise<void> {
    this.held.delete(training);
    held.ending.abort();
    if (held.scheduled) this.listener!.onLeaseLost(training, held.lease.number);
    if (deleted) await release(this.options.db, held.lease);
  }
}
