import { type Claim, claimNext, release, renew } from '../database/claims.js';
import type { Db } from '../database/connection.js';
import type { EventData, NewEvent } from '../database/events.js';
import type { Lease } from '../database/lease.js';
import { type Listener, listen } from '../database/listener.js';
import {
  appendEvents,
  cancelled,
  commitSnapshot,
  fail,
  finish,
  recordPhase,
  recordPlacement,
  recordProgress,
  recordTidied,
  replaceSnapshots,
} from '../database/training-records.js';
import { assert, ImplicamError } from '../model/errors.js';
import type { PrepareResponse__Output } from '../proto/types/implicam/v1/PrepareResponse.js';
import type { ObjectStore } from '../store/objects.js';
import { type Manifest, manifestSchema, type SceneSummary, trainingFolders } from '../store/scene.js';
import type { CommitRecord, Ledger, LedgerListener, SessionEnd } from './ledger.js';
import type { RunnerCalls } from './runner-calls.js';
import { finishScene, prepareScene, type SceneTask } from './scene-work.js';
import type { Command } from './scheduler/types.js';
import { dropOlder, readSummary, specOf } from './session-spec.js';
import { describeDamage } from './translate.js';

export interface PostgresLedgerOptions {
  readonly db: Db;
  /** For LISTEN, on a connection of its own. */
  readonly databaseUrl: string;
  readonly store: ObjectStore;
  readonly calls: RunnerCalls;
  /** Name of this process among coordinators. */
  readonly owner: string;
  /** Sessions held at a time; more stay in the queue for other coordinators. @default 16 */
  readonly capacity?: number;
  /** @default 15 */
  readonly leaseSeconds?: number;
  readonly log: (line: string) => void;
}

/** Events of progress are written this often, in milliseconds. */
const PROGRESS_EVERY = 1000;
/** Writes about the end of a session are tried again for this long, and this often, in milliseconds. */
const INSIST = 120_000;
const INSIST_EVERY = 1000;

interface Held {
  readonly claim: Claim;
  readonly lease: Lease;
  /** Ends what is done for the session outside the scheduler. */
  readonly ending: AbortController;
  /** The scheduler has it. */
  handed: boolean;
  /** Whole snapshots in the object store; the first state aside. */
  manifest: Manifest | undefined;
  summary: SceneSummary | undefined;
  progress: { step: number; loss: number; psnr: number; at: number };
  stepsTotal: number;
  lastWaiting: string;
  /** Writes about the session, one after the other. */
  writes: Promise<unknown>;
}

/**
 * Sessions of the database: claimed by lease, prepared and finished by runners, their progress told as events. A
 * training is named SESSION/runs/N: that is also where its objects lie.
 */
export class PostgresLedger implements Ledger {
  private readonly options: PostgresLedgerOptions;
  private readonly held = new Map<string, Held>();
  private listener: LedgerListener | undefined;
  private wakes: Listener | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private lookAgain = false;
  private closed = false;

  constructor(options: PostgresLedgerOptions) {
    this.options = options;
  }

  async start(listener: LedgerListener): Promise<void> {
    this.listener = listener;
    const { databaseUrl, leaseSeconds = 15 } = this.options;
    this.wakes = listen(databaseUrl, {
      channels: ['implicam_sessions'],
      pollSeconds: 2,
      onWake: () => {
        this.look();
        void this.renewAll();
      },
    });
    this.renewal = setInterval(() => void this.renewAll(), (1000 * leaseSeconds) / 4);
    this.look();
  }

  async commit(record: CommitRecord): Promise<void> {
    const held = this.held.get(record.session);
    if (!held) throw new ImplicamError('lease-lost', `session ${record.session} is not held here`);
    const { db, store } = this.options;
    const { session, step, epoch, engine, snapshots } = record;
    const manifest: Manifest = { epoch, engine, snapshots };
    await commitSnapshot(db, held.lease, step, manifest);
    held.manifest = manifest;
    await dropOlder(store, session, held.summary!.from, snapshots).catch((error) =>
      // The next commit finds them again.
      this.options.log(`session ${session}: older snapshots were not deleted: ${error}`),
    );
  }

  async end(training: string, end: SessionEnd): Promise<void> {
    const held = this.held.get(training);
    if (!held) return;
    try {
      if (end.kind === 'finished') await this.conclude(training, held, end.step);
      else if (end.kind === 'cancelled')
        await this.insist(held, () => cancelled(this.options.db, held.lease));
      else await this.failed(held, end);
    } finally {
      this.held.delete(training);
      this.look();
    }
  }

  /** Tells the session's clients what the scheduler decided. */
  heed(command: Command): void {
    if (!('session' in command)) return;
    const held = this.held.get(command.session);
    if (!held) return;
    const { db } = this.options;
    if (command.type === 'progress') {
      const { step, loss, psnr, stepsPerSecond } = command;
      const now = Date.now();
      // The first steps tell no rate yet.
      const due =
        (now - held.progress.at >= PROGRESS_EVERY && stepsPerSecond > 0) || step === held.stepsTotal;
      held.progress = { step, loss, psnr, at: due ? now : held.progress.at };
      if (!due) return;
      const progress = progressOf(held, stepsPerSecond);
      this.write(held, () => recordProgress(db, held.lease, progress));
    } else if (command.type === 'placed') {
      held.lastWaiting = '';
      const shards = command.placement.flatMap(({ runner, shards: { first, count } }) =>
        Array.from({ length: count }, (_, i) => ({ shard: first + i, runner, device: command.engine })),
      );
      this.write(held, () => recordPlacement(db, held.lease, shards, command.step));
    } else if (command.type === 'preview') {
      const { mediaType: type, ...picture } = command.picture;
      this.tell(held, { type: 'preview', data: { ...picture, type } });
    } else if (command.type === 'damaged') {
      this.tell(held, { type: 'note', data: { text: describeDamage(command) } });
    } else if (command.type === 'waiting') {
      this.tellWaiting(held, command.message);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.renewal);
    await this.wakes?.close();
    await this.looking;
    for (const { ending } of this.held.values()) ending.abort();
    const leases = [...this.held.values()];
    this.held.clear();
    await Promise.allSettled(
      leases.map(async ({ writes, lease }) => {
        await writes.catch(() => undefined);
        await release(this.options.db, lease);
      }),
    );
  }

  /** Claims what waits, up to the capacity. */
  private look(): void {
    this.lookAgain = true;
    this.looking ??= (async () => {
      while (this.lookAgain && !this.closed) {
        this.lookAgain = false;
        await this.claimSome().catch((error) => this.options.log(`cannot look for sessions: ${error}`));
      }
    })().finally(() => {
      this.looking = undefined;
    });
  }

  private async claimSome(): Promise<void> {
    const { db, owner, capacity = 16, leaseSeconds = 15 } = this.options;
    while (this.held.size < capacity && !this.closed) {
      const claim = await claimNext(db, owner, leaseSeconds);
      if (!claim) return;
      const training = `${claim.lease.session}/runs/${claim.run}`;
      const held: Held = {
        claim,
        lease: claim.lease,
        ending: new AbortController(),
        handed: false,
        manifest: undefined,
        summary: undefined,
        progress: { step: 0, loss: 0, psnr: 0, at: 0 },
        stepsTotal: 0,
        lastWaiting: '',
        writes: Promise.resolve(),
      };
      this.held.set(training, held);
      this.takeUp(training, held).catch((error) => this.giveUp(training, held, error));
    }
  }

  /** From a claimed session to one that the scheduler trains. */
  private async takeUp(training: string, held: Held): Promise<void> {
    const { db } = this.options;
    const { claim, lease } = held;
    if (claim.cancelRequested)
      return this.end(training, { kind: 'cancelled', step: claim.snapshot?.step ?? 0 });
    const summary = await this.prepared(training, held);
    if (held.ending.signal.aborted) return;
    held.summary = summary;
    held.manifest = this.readManifest(held);
    held.stepsTotal = summary.steps;
    // A database that is away for a moment is no fault of the session.
    await this.insist(held, () => recordPhase(db, lease, 'train', summary.steps));
    if (held.ending.signal.aborted) return;
    held.handed = true;
    this.listener!.onClaimed(specOf(training, summary, lease.number, held.manifest));
  }

  /** The scene of a training; one that is not there, or cannot be read, is made: the same each time. */
  private async prepared(training: string, held: Held): Promise<SceneSummary> {
    const { store } = this.options;
    try {
      return await readSummary(store, training);
    } catch (error) {
      const { code } = error as ImplicamError;
      if (code !== 'object-missing' && code !== 'session-unusable') throw error;
    }
    await prepareScene(this.taskOf(training, held), (news) => this.tellNews(held, news));
    return readSummary(store, training);
  }

  /** What an earlier coordinator wrote down; what cannot be read costs the time of training anew. */
  private readManifest(held: Held): Manifest | undefined {
    const { snapshot } = held.claim;
    if (snapshot === null) return undefined;
    const read = manifestSchema.safeParse(snapshot.manifest);
    if (read.success) return read.data;
    const text = 'what was stored of the training cannot be read by this version: training begins anew';
    this.tell(held, { type: 'note', data: { text } });
    return undefined;
  }

  private async giveUp(training: string, held: Held, error: unknown): Promise<void> {
    if (held.ending.signal.aborted || this.closed) return;
    const known = error instanceof ImplicamError;
    if (known && error.code === 'lease-lost') {
      this.held.delete(training);
      return;
    }
    const code = known ? error.code : 'internal';
    const message = error instanceof Error ? error.message : String(error);
    this.options.log(`session ${training} cannot be prepared: ${message}`);
    await this.end(training, { kind: 'failed', code, message }).catch((e) => this.options.log(String(e)));
  }

  /** Model and results, then the session is trained; its scene and snapshots are not needed any more. */
  private async conclude(training: string, held: Held, step: number): Promise<void> {
    const { db, store, log } = this.options;
    const { snapshots } = held.manifest ?? { snapshots: [] };
    const pieces = snapshots.find((snapshot) => snapshot.step === step)?.pieces ?? held.summary!.pieces;
    await this.insist(held, () => recordPhase(db, held.lease, 'render'));
    try {
      const result = await finishScene(this.taskOf(training, held), { step, pieces });
      const { model, outputs, parametersSha256, loss, psnr } = result;
      assert(model, 'a finished scene has a model');
      await this.insist(held, () =>
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
      log(`session ${training} could not be finished: ${error}`);
      const { code = 'internal', message = String(error) } = error as Partial<ImplicamError>;
      if (code === 'object-damaged' && step > held.summary!.from)
        await this.goBack(training, held, step, message);
      else await this.failed(held, { code, message });
      return;
    }
    try {
      for (const folder of trainingFolders(training)) await store.deletePrefix(folder);
      await recordTidied(db, held.lease.session, held.claim.run);
    } catch (error) {
      // Nobody waits for it: maintenance (edge-api/maintenance.ts) finds what is left.
      log(`session ${training}: its scene and snapshots were not deleted: ${error}`);
    }
  }

  /** The last snapshot is damaged: whoever claims the session next trains on from the one before. */
  private async goBack(training: string, held: Held, step: number, message: string): Promise<void> {
    const { db, log } = this.options;
    const { manifest, lease } = held;
    const snapshots = (manifest?.snapshots ?? []).filter((snapshot) => snapshot.step !== step);
    const left = snapshots[0]?.step ?? null;
    const text = describeDamage({ step, left: left ?? held.summary!.from, message });
    log(`session ${training}: ${text}`);
    this.tell(held, { type: 'note', data: { text } });
    await this.insist(held, () =>
      replaceSnapshots(
        db,
        lease,
        manifest && left !== null ? { step: left, manifest: { ...manifest, snapshots } } : null,
      ),
    );
    await release(db, lease);
  }

  private failed(held: Held, { code, message }: { code: string; message: string }): Promise<void> {
    return this.insist(held, () => fail(this.options.db, held.lease, { code, message }));
  }

  private taskOf(training: string, held: Held): SceneTask {
    return {
      calls: this.options.calls,
      training,
      claim: held.claim,
      signal: held.ending.signal,
      onWaiting: (reason) => this.tellWaiting(held, reason),
    };
  }

  private tellWaiting(held: Held, reason: string): void {
    if (held.lastWaiting === reason) return;
    held.lastWaiting = reason;
    this.tell(held, { type: 'waiting', data: { reason } });
  }

  private async tellNews(held: Held, news: PrepareResponse__Output): Promise<void> {
    const { db } = this.options;
    if (news.phase) {
      const phase = news.phase as EventData<'phase'>['phase'];
      this.write(held, () => recordPhase(db, held.lease, phase));
    } else if (news.note) this.tell(held, { type: 'note', data: { text: news.note } });
    else if (news.preview) this.tell(held, { type: 'preview', data: { ...news.preview, step: 0 } });
  }

  private tell(held: Held, event: NewEvent): void {
    this.write(held, () => appendEvents(this.options.db, held.lease, [event]));
  }

  /** Writes about a session come one after the other; one that fails is only news, and is left out. */
  private write(held: Held, job: () => Promise<void>): void {
    held.writes = held.writes.then(job).catch((error) => {
      this.options.log(`session ${held.lease.session}: ${error instanceof Error ? error.message : error}`);
    });
  }

  /** A write that must not be left out: tried until it is done or the lease lost. */
  private async insist(held: Held, job: () => Promise<unknown>): Promise<void> {
    await held.writes;
    for (let spent = 0; ; spent += INSIST_EVERY) {
      try {
        await job();
        return;
      } catch (error) {
        const lost = error instanceof ImplicamError;
        if (lost || spent >= INSIST || this.closed) throw error;
        this.options.log(`session ${held.lease.session}: trying again: ${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, INSIST_EVERY));
    }
  }

  private async renewAll(): Promise<void> {
    const { db, leaseSeconds = 15, log } = this.options;
    await Promise.all(
      [...this.held].map(async ([training, held]) => {
        try {
          const instruction = await renew(db, held.lease, leaseSeconds);
          if (this.held.get(training) !== held) return;
          if (instruction === 'cancel') this.cancel(training, held);
          else if (instruction !== 'continue') await this.letGo(training, held, instruction === 'delete');
        } catch (error) {
          log(`session ${training}: its lease could not be renewed: ${error}`);
        }
      }),
    );
  }

  private cancel(training: string, held: Held): void {
    if (held.handed) {
      this.listener!.onCancel(training);
      return;
    }
    if (held.ending.signal.aborted) return;
    held.ending.abort();
    this.end(training, { kind: 'cancelled', step: held.claim.snapshot?.step ?? 0 }).catch((e) =>
      this.options.log(String(e)),
    );
  }

  /** The session is somebody else's, or is to be deleted. */
  private async letGo(training: string, held: Held, deleted: boolean): Promise<void> {
    this.held.delete(training);
    held.ending.abort();
    if (held.handed) this.listener!.onLeaseLost(training, held.lease.number);
    if (deleted) await release(this.options.db, held.lease);
  }
}

function progressOf({ progress, stepsTotal }: Held, stepsPerSecond: number): EventData<'progress'> {
  const { step, loss, psnr } = progress;
  const secondsLeft = stepsPerSecond > 0 ? Math.max(0, stepsTotal - step) / stepsPerSecond : 0;
  return {
    step,
    stepsTotal,
    loss: Number.isFinite(loss) ? loss : null,
    psnr: Number.isFinite(psnr) ? psnr : null,
    stepsPerSecond,
    secondsLeft,
  };
}
