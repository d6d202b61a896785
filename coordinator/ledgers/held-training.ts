import type { Claim } from '../../database/claims.js';
import type { Db } from '../../database/connection.js';
import type { EventData, NewEvent } from '../../database/events.js';
import type { Lease } from '../../database/lease.js';
import {
  appendEvents,
  recordPhase,
  recordPlacement,
  recordProgress,
} from '../../database/training-records.js';
import { ImplicamError } from '../../model/errors.js';
import type { PrepareResponse__Output } from '../../proto/types/implicam/v1/PrepareResponse.js';
import type { Manifest, SceneSummary } from '../../store/scene/keys.js';
import type { Command } from '../scheduler/types.js';
import { describeDamage } from '../wire/translate.js';

/** Events of progress are written this often, in milliseconds. */
const PROGRESS_EVERY = 1000;
/** For how long a write that must not be left out is retried, and how often, in milliseconds. */
const RETRY_FOR = 120_000;
const RETRY_EVERY = 1000;

/** A training that this coordinator has claimed. Everything written about it goes under its lease, one write at a time. */
export class HeldTraining {
  readonly claim: Claim;
  readonly lease: Lease;
  /** Aborts the work on this training outside the scheduler. */
  readonly ending = new AbortController();
  /** The scheduler has it. */
  scheduled = false;
  /** Whole snapshots in the object store; the first state aside. */
  manifest: Manifest | undefined;
  /** Set once the scene is prepared. */
  summary: SceneSummary | undefined;
  private readonly db: Db;
  private readonly log: (line: string) => void;
  private progressAt = 0;
  private lastWaiting = '';
  private writes: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(db: Db, claim: Claim, log: (line: string) => void) {
    this.db = db;
    this.claim = claim;
    this.lease = claim.lease;
    this.log = log;
  }

  /** Key of the training: a session may be trained more than once. */
  get training(): string {
    return `${this.lease.session}/runs/${this.claim.run}`;
  }

  /** Writes what the scheduler decided as events, for the clients of the session. */
  onCommand(command: Command): void {
    const { db, lease } = this;
    switch (command.type) {
      case 'progress':
        this.progressed(command);
        break;
      case 'placed': {
        this.lastWaiting = '';
        const shards = command.placement.flatMap(({ runner, shards: { first, count } }) =>
          Array.from({ length: count }, (_, i) => ({ shard: first + i, runner, device: command.engine })),
        );
        this.write(() => recordPlacement(db, lease, shards, command.step));
        break;
      }
      case 'preview': {
        const { mediaType: type, ...picture } = command.picture;
        this.append({ type: 'preview', data: { ...picture, type } });
        break;
      }
      case 'damaged':
        this.append({ type: 'note', data: { text: describeDamage(command) } });
        break;
      case 'waiting':
        this.appendWaiting(command.message);
        break;
    }
  }

  /** Writes how far the preparation of its scene is. */
  async onPreparation(event: PrepareResponse__Output): Promise<void> {
    if (event.phase) {
      const phase = event.phase as EventData<'phase'>['phase'];
      this.write(() => recordPhase(this.db, this.lease, phase));
    } else if (event.note) this.append({ type: 'note', data: { text: event.note } });
    else if (event.preview) this.append({ type: 'preview', data: { ...event.preview, step: 0 } });
  }

  appendWaiting(reason: string): void {
    if (this.lastWaiting === reason) return;
    this.lastWaiting = reason;
    this.append({ type: 'waiting', data: { reason } });
  }

  append(event: NewEvent): void {
    this.write(() => appendEvents(this.db, this.lease, [event]));
  }

  /** A write that must not be left out: retried until it is done or the lease is lost. */
  async writeWithRetries(job: () => Promise<unknown>): Promise<void> {
    await this.writes;
    for (let spent = 0; ; spent += RETRY_EVERY) {
      try {
        await job();
        return;
      } catch (error) {
        const lost = error instanceof ImplicamError;
        if (lost || spent >= RETRY_FOR || this.closed) throw error;
        this.log(`training ${this.training}: trying again: ${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY));
    }
  }

  /** Aborts all work on it here, and waits for the write in progress. */
  async close(): Promise<void> {
    this.closed = true;
    this.ending.abort();
    await this.writes;
  }

  private progressed({ step, loss, psnr, stepsPerSecond }: Extract<Command, { type: 'progress' }>): void {
    const stepsTotal = this.summary?.steps ?? step;
    const now = Date.now();
    // After the first steps no rate is known yet.
    const due = (now - this.progressAt >= PROGRESS_EVERY && stepsPerSecond > 0) || step === stepsTotal;
    if (!due) return;
    this.progressAt = now;
    const progress = {
      step,
      stepsTotal,
      loss: Number.isFinite(loss) ? loss : null,
      psnr: Number.isFinite(psnr) ? psnr : null,
      stepsPerSecond,
      secondsLeft: stepsPerSecond > 0 ? Math.max(0, stepsTotal - step) / stepsPerSecond : 0,
    };
    this.write(() => recordProgress(this.db, this.lease, progress));
  }

  /** A write whose failure is only logged: what it writes is for display. */
  private write(job: () => Promise<void>): void {
    this.writes = this.writes.then(job).catch((error) => {
      this.log(`training ${this.training}: ${error instanceof Error ? error.message : error}`);
    });
  }
}
