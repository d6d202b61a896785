import type { Progress, ShardedTrainer } from '../engine/engine.js';
import { ImplicamError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import { type StoredPiece, snapshotKeys } from '../store/scene/keys.js';
import { putPiece } from '../store/scene/verified.js';
import { type FailureCode, type HostOrder, shardsOf, type TrainingReports } from './commands.js';
import { PeerFailure, reachPeer } from './exchange/peer-failure.js';
import { StepExchange } from './exchange/step-exchange.js';
import { openShards } from './open-shards.js';
import { PreviewSchedule } from './previews/schedule.js';
import type { HostServices } from './services.js';
import {
  encodeScore,
  NO_SCORE,
  partsOfShards,
  SCORE_BYTES,
  type SnapshotPart,
  type StepScore,
} from './snapshots/parts.js';
import { keepWithPeer } from './snapshots/transfer.js';
import type { StepTimes } from './step-times.js';

/** Codes of errors that no other runner could avoid. */
const UNUSABLE = [
  'object-missing',
  'scene-damaged',
  'session-unusable',
  'snapshot-corrupt',
  'capture-invalid',
];

/** Shortest time between two reports of progress, in milliseconds. */
const REPORT_EVERY = 200;

/**
 * A training's shards on this runner, for one epoch: opens them, trains in lock-step with the peers as far as granted, and
 * takes snapshots. It ends with its epoch; the next epoch opens the shards again.
 */
export class HostedTraining {
  readonly order: HostOrder;
  private readonly services: HostServices;
  private readonly reports: TrainingReports;
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;
  private trainer: ShardedTrainer | undefined;
  private plan: Plan | undefined;
  private step: number;
  private score: StepScore = NO_SCORE;
  private until: number;
  private snapshots: readonly number[] = [];
  private copying: Promise<void> = Promise.resolve();
  private wake: () => void = () => undefined;
  private previews: PreviewSchedule | undefined;
  private began = 0;
  private reported = 0;
  private readonly pace: { at: number; step: number }[] = [];

  constructor(services: HostServices, order: HostOrder, reports: TrainingReports) {
    this.services = services;
    this.order = order;
    this.reports = reports;
    this.step = order.step;
    this.until = order.step;
    this.done = this.run().catch((error) => this.reportFailure(error));
  }

  /** How far to train, and after which steps to take snapshots. */
  advance(until: number, snapshots: readonly number[]): void {
    this.until = until;
    this.snapshots = snapshots;
    this.wake();
  }

  /** Writes this runner's parts of a held snapshot to the object store. */
  async store(step: number): Promise<void> {
    try {
      this.reports.stored(step, await this.writeParts(step));
    } catch (error) {
      this.reports.storeFailed(step, messageOf(error));
    }
  }

  /** Stops after the step in progress and frees the engine; the snapshots stay in memory. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.done;
  }

  private async run(): Promise<void> {
    const { order, services } = this;
    let exchange: StepExchange | undefined;
    try {
      services.links.enterEpoch(order.training, order.epoch);
      const opened = await openShards(services, order, this.stopping.signal);
      this.trainer = opened.trainer;
      this.plan = opened.plan;
      this.score = opened.score;
      exchange = new StepExchange(services, order, opened.plan, opened.trainer);
      await exchange.connect(this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      this.reports.hosted();
      if (order.copy) await this.copyToBuddy(order.step, 0, 0);
      await this.trainOn(opened.trainer, exchange);
    } finally {
      await exchange?.close();
      this.trainer?.close();
      services.links.leaveEpoch(order.training);
    }
  }

  private async trainOn(trainer: ShardedTrainer, exchange: StepExchange): Promise<void> {
    const { signal } = this.stopping;
    this.began = performance.now();
    while (!signal.aborted) {
      if (this.step >= this.until) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        continue;
      }
      const next = Math.min(this.until, ...this.snapshots.filter((s) => s > this.step));
      const progress = exchange.alone
        ? await this.trainAlone(trainer, next, exchange.times)
        : await exchange.step(this.step, signal);
      this.step = progress.step;
      this.score = progress;
      const boundary = this.step === this.until || this.snapshots.includes(this.step);
      this.progressed(progress.step, progress.loss, progress.psnr, boundary);
      if (this.snapshots.includes(this.step) && !signal.aborted) {
        await this.takeSnapshot(trainer, exchange.times.take());
      }
    }
  }

  private async trainAlone(trainer: ShardedTrainer, next: number, times: StepTimes): Promise<Progress> {
    const { totals } = this.services;
    const began = performance.now();
    let last = { at: began, step: this.step };
    const timed = (step: number) => {
      const now = performance.now();
      if (step > last.step) times.add((now - last.at) / (step - last.step));
      last = { at: now, step };
    };
    const progress = await trainer.train(next - this.step, {
      signal: this.stopping.signal,
      onProgress: (p) => {
        timed(p.step);
        this.progressed(p.step, p.loss, p.psnr, false);
      },
    });
    timed(progress.step);
    totals.steps += progress.step - this.step;
    totals.stepSeconds += (performance.now() - began) / 1000;
    return progress;
  }

  /** @param computeMs what a step's own computation took since the last one, in milliseconds */
  private async takeSnapshot(trainer: ShardedTrainer, computeMs: number): Promise<void> {
    const { training: id, shards } = this.order;
    const { step } = this;
    const began = performance.now();
    const parts = partsOfShards(this.plan!, shardsOf(shards));
    const { buffer } = await trainer.saveRuns(parts, SCORE_BYTES);
    Buffer.from(buffer).set(encodeScore(this.score));
    let at = 0;
    for (const { name, shard, from, to } of parts) {
      // The shared part is the first.
      const length = 12 * (to - from) + (shard === undefined ? SCORE_BYTES : 0);
      this.services.snapshots.put(id, step, name, Buffer.from(buffer, at, length));
      at += length;
    }
    const saved = performance.now() - began;
    // Training goes on while the buddy gets its copy, but not beyond the next snapshot.
    await this.copying;
    this.copying = this.copyToBuddy(step, saved, computeMs)
      .then(() => this.preview(step))
      .catch((error) => this.reportFailure(error));
  }

  /** Has a picture of a snapshot made beside training, if one is due. */
  private preview(step: number): void {
    const { order, reports } = this;
    const { training, shards, placement } = order;
    // Only the holder of the first shard does this.
    if (shards.first > 0) return;
    this.previews ??= new PreviewSchedule(this.plan!, order.step, this.began);
    const others = placement.filter((member) => member.shards.first !== shards.first);
    const source = { training, step, plan: this.plan!, shards, others };
    this.services.previewer.offer(source, this.previews, (picture) => {
      if (!this.stopping.signal.aborted) reports.previewed(step, picture);
    });
  }

  /** Copies this runner's parts of a held snapshot, saved in so many milliseconds, to its buddy, and reports it as taken. */
  private async copyToBuddy(step: number, saved: number, computeMs: number): Promise<void> {
    const { training, epoch, shards, buddy, placement } = this.order;
    const began = performance.now();
    if (buddy) {
      // A member of the placement has the shared parameters of every step itself.
      const member = placement.some((m) => m.runner === buddy.runner);
      const client = this.services.links.client(buddy);
      for (const part of partsOfShards(this.plan!, shardsOf(shards))) {
        const bytes = this.services.snapshots.get(training, step, part.name);
        if (!bytes || (member && part.shard === undefined)) continue;
        await reachPeer(
          buddy.runner,
          keepWithPeer(client, { training, epoch, step, shard: part.shard }, bytes),
          this.stopping.signal,
        );
      }
    }
    this.reports.snapshotTaken(step, saved + performance.now() - began, computeMs);
  }

  private async writeParts(step: number): Promise<StoredPiece[]> {
    const { training, shards } = this.order;
    if (!this.plan) throw new ImplicamError('snapshot-missing', 'the training is not open yet');
    const pieces: StoredPiece[] = [];
    for (const part of partsOfShards(this.plan, shardsOf(shards))) {
      // Every member has the shared parameters; the holder of shard 0 writes them.
      if (part.shard === undefined && shards.first > 0) continue;
      pieces.push(...(await this.writePart(training, step, part)));
    }
    return pieces;
  }

  private async writePart(training: string, step: number, part: SnapshotPart): Promise<StoredPiece[]> {
    const bytes = this.services.snapshots.get(training, step, part.name);
    if (!bytes) throw new ImplicamError('snapshot-missing', `no snapshot of step ${step} is held here`);
    if (bytes.length === 0) return [];
    const key = snapshotKeys.part(training, step, part.name);
    return [await putPiece(this.services.store, part.shard ?? 0, key, bytes)];
  }

  private progressed(step: number, loss: number, psnr: number, force: boolean): void {
    const now = performance.now();
    if (!force && now - this.reported < REPORT_EVERY) return;
    this.reported = now;
    this.pace.push({ at: now, step });
    if (this.pace.length > 16) this.pace.shift();
    const first = this.pace[0];
    const seconds = (now - first.at) / 1000;
    this.reports.progressed(step, loss, psnr, seconds > 0 ? (step - first.step) / seconds : 0);
  }

  private reportFailure(error: unknown): void {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort();
    const damaged = error instanceof ImplicamError && error.code === 'object-damaged';
    if (error instanceof PeerFailure) this.reports.peerFailed(error.peer, error.message);
    else if (damaged) this.reports.damaged(this.order.step, error.message);
    else this.reports.failed(failureCode(error), messageOf(error));
  }
}

/** The code of the failure that is reported to the coordinator. */
function failureCode(error: unknown): FailureCode {
  if (error instanceof RangeError) return 'memory';
  const code = error instanceof ImplicamError ? error.code : '';
  if (code === 'out-of-memory') return 'memory';
  if (code === 'store-failed') return 'store';
  return UNUSABLE.includes(code) ? 'data' : 'engine';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
