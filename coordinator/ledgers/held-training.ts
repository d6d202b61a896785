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
/** Writes that must not be left out are tried again for this long, and this often, in milliseconds. */
const INSIST = 120_000;
const INSIST_EVERY = 1000;

/** A training that this coordinator holds, and what is written of it under its lease: one write after the other. */
export class HeldTraining {
  readonly claim: Claim;
  readonly lease: Lease;
  /** Ends what is done for the session outside the scheduler. */
  readonly ending = new AbortController();
  /** The scheduler has it. */
  handed = false;
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

  /** Tells the session's clients what the scheduler decided. */
  heed(command: Command): void {
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
        this.tell({ type: 'preview', data: { ...picture, type } });
        break;
      }
      case 'damaged':
        this.tell({ type: 'note', data: { text: describeDamage(command) } });
        break;
      case 'waiting':
        this.tellWaiting(command.message);
        break;
    }
  }

  /** Tells of the preparation of its scene. */
  async tellNews(news: PrepareResponse__Output): Promise<void> {
    if (news.phase) {
      const phase = news.phase as EventData<'phase'>['phase'];
      this.write(() => recordPhase(this.db, this.lease, phase));
    } else if (news.note) this.tell({ type: 'note', data: { text: news.note } });
    else if (news.preview) this.tell({ type: 'preview', data: { ...news.preview, step: 0 } });
  }

  tellWaiting(reason: string): void {
    if (this.lastWaiting === reason) return;
    this.lastWaiting = reason;
    this.tell({ type: 'waiting', data: { reason } });
  }

  tell(event: NewEvent): void {
    this.write(() => appendEvents(this.db, this.lease, [event]));
  }

  /** A write that must not be left out: tried until it is done or the lease lost. */
  async insist(job: () => Promise<unknown>): Promise<void> {
    await this.writes;
    for (let spent = 0; ; spent += INSIST_EVERY) {
      try {
        await job();
        return;
      } catch (error) {
        const lost = error instanceof ImplicamError;
        if (lost || spent >= INSIST || this.closed) throw error;
        this.log(`session ${this.lease.session}: trying again: ${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, INSIST_EVERY));
    }
  }

  /** Ends all that is done for it here, when what is being written is written. */
  async close(): Promise<void> {
    this.closed = true;
    this.ending.abort();
    await this.writes;
  }

  private progressed({ step, loss, psnr, stepsPerSecond }: Extract<Command, { type: 'progress' }>): void {
    const stepsTotal = this.summary?.steps ?? step;
    const now = Date.now();
    // The first steps tell no rate yet.
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

  /** One write that fails is only news, and is left out. */
  private write(job: () => Promise<void>): void {
    this.writes = this.writes.then(job).catch((error) => {
      this.log(`session ${this.lease.session}: ${error instanceof Error ? error.message : error}`);
    });
  }
}
