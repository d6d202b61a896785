import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { randomGamma } from '../../model/sampler.js';
import { rateFactor, sharpnessActive } from '../../model/schedule.js';
import { checkState } from '../check.js';
import type {
  BakedPlanes,
  Progress,
  Root,
  Run,
  ShardedTrainer,
  StepSums,
  TrainingState,
  TrainOptions,
} from '../engine.js';
import { type AddonTrainer, PHASES } from './addon.js';

/** A native trainer also tells where its time went and computes gradients in double precision (`isa: 'f64'`). */
export interface NativeTrainer extends ShardedTrainer {
  /** Processor ticks by phase since the last call; nanoseconds of a device, of the steps that were timed. */
  ticks(): Record<(typeof PHASES)[number], number>;
  /** Whether steps from now on are timed by phase: on a device that makes them slower, a processor always does. */
  timePhases(on: boolean): void;
  /** Loss and gradient at parameters in double precision. */
  gradientAt(parameters: Float64Array, step: number): Promise<{ loss: number; gradient: Float64Array }>;
}

/** Longest time away from JavaScript, in milliseconds: the grain of progress and of cancelling. */
const SLICE = 200;

/** The first is short and the next ones grow, so that a training of half a second is seen to move too. */
const FIRST_SLICE = 25;

/** Steps planned for one slice: the schedule is computed here, once, for every engine. */
const PLANNED = 512;

/** Lanes of a step, at most: engine/native/reduction/reduction.h. */
const MOST_LANES = 256;

/** A trainer of the native engine. */
export class Trainer implements NativeTrainer {
  readonly plan: Plan;
  readonly shards: readonly number[];
  protected readonly addon: AddonTrainer;
  private readonly explain: (error: unknown) => unknown;
  private step: number;
  private lanes = 1;
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  /** `explain`: what a failure of the addon's is to its caller. */
  constructor(
    plan: Plan,
    shards: readonly number[],
    addon: AddonTrainer,
    step: number,
    explain: (error: unknown) => unknown = (error) => error,
  ) {
    this.plan = plan;
    this.shards = shards;
    this.addon = addon;
    this.step = step;
    this.explain = explain;
  }

  load(state: TrainingState): Promise<void> {
    return this.enqueue(async () => {
      checkState(this.plan, state);
      this.addon.load(state.step, state.parameters, state.m, state.v);
      this.step = state.step;
    });
  }

  save({ moments = true }: { readonly moments?: boolean } = {}): Promise<TrainingState> {
    return this.enqueue(async () => {
      const { size } = this.plan.layout;
      const parameters = new Float32Array(size);
      const [m, v] = [new Float32Array(moments ? size : 0), new Float32Array(moments ? size : 0)];
      return { step: this.addon.save(parameters, m, v), parameters, m, v };
    });
  }

  saveRuns(runs: readonly Run[], ahead = 0): Promise<Float32Array> {
    return this.enqueue(async () => {
      const length = runs.reduce((sum, { from, to }) => sum + 3 * (to - from), 0);
      const out = new Float32Array(new ArrayBuffer(ahead + 4 * length), ahead);
      const ends = runs.flatMap(({ from, to }) => [from, to]);
      await this.addon.saveRuns(Float64Array.from(ends), out);
      return out;
    });
  }

  train(steps: number, options: TrainOptions = {}): Promise<Progress> {
    return this.enqueue(async () => {
      const end = this.step + steps;
      let slice = FIRST_SLICE;
      let last: Progress = { step: this.step, loss: Number.NaN, psnr: Number.NaN };
      while (this.step < end && !options.signal?.aborted) {
        const count = Math.min(PLANNED, end - this.step);
        const { train } = this.plan.config;
        const factors = Float32Array.from({ length: count }, (_, i) => rateFactor(train, this.step + i));
        const gammas = Float32Array.from({ length: count }, (_, i) =>
          randomGamma(this.plan.seed, this.step + i),
        );
        const sharp = Uint8Array.from({ length: count }, (_, i) =>
          sharpnessActive(this.plan.config, this.step + i) ? 1 : 0,
        );
        const sums = await this.addon.train(factors, gammas, sharp, slice);
        slice = Math.min(SLICE, 2 * slice);
        this.step += sums.done;
        last = progressOf(this.step, sums);
        options.onProgress?.(last);
      }
      return last;
    });
  }

  gradient(step: number): Promise<Progress & { readonly gradient: Float32Array }> {
    return this.enqueue(async () => {
      const r = await this.addon.gradient(step, randomGamma(this.plan.seed, step), this.sharp(step));
      return { ...progressOf(step, r), gradient: Float32Array.from(r.gradient) };
    });
  }

  gradientAt(parameters: Float64Array, step: number): Promise<{ loss: number; gradient: Float64Array }> {
    return this.enqueue(async () => {
      this.addon.setParameters(parameters);
      const r = await this.addon.gradient(step, randomGamma(this.plan.seed, step), this.sharp(step));
      return { loss: r.loss, gradient: r.gradient };
    });
  }

  bake(): Promise<BakedPlanes> {
    return this.enqueue(async () => {
      const { config, capture } = this.plan;
      const pixels = capture.width * capture.height;
      const radiance = new Float32Array(3 * pixels);
      const defocus = new Float32Array(config.blur.form === 'lens' ? pixels : 0);
      await this.addon.bake(radiance, defocus);
      return { radiance, defocus };
    });
  }

  compute(step: number, lanes = 1): Promise<StepSums> {
    return this.enqueue(async () => {
      if (step !== this.step) {
        throw refused(
          `step ${step} was asked for, this trainer is at step ${this.step}: load the state of that step first`,
        );
      }
      if (!Number.isInteger(lanes) || lanes < 1 || lanes > MOST_LANES) {
        throw refused(`a step is taken in 1 to ${MOST_LANES} lanes, not ${lanes}`);
      }
      const factor = rateFactor(this.plan.config.train, step);
      const gamma = randomGamma(this.plan.seed, step);
      const sums = await this.addon.compute(factor, gamma, this.sharp(step), lanes);
      this.lanes = lanes;
      return sums;
    });
  }

  combine(into: number, from: number, lane = 0): Promise<void> {
    return this.enqueue(async () =>
      this.addon.combine(shardNumber(into), shardNumber(from), shardNumber(lane), this.lanes),
    );
  }

  take(slot: number, lane = 0, into?: Uint8Array): Promise<Uint8Array> {
    return this.enqueue(async () => {
      const attempt = (out: Uint8Array) =>
        this.addon.take(shardNumber(slot), shardNumber(lane), this.lanes, out);
      let out = into ?? new Uint8Array(0);
      const size = await attempt(out);
      if (size > out.length) {
        out = new Uint8Array(size);
        await attempt(out);
      }
      return out.subarray(0, size);
    });
  }

  add(slot: number, bytes: Uint8Array): Promise<void> {
    return this.enqueue(async () => this.addon.add(shardNumber(slot), bytesOf(bytes)));
  }

  apply(roots: readonly Root[]): Promise<Progress> {
    return this.enqueue(async () => {
      const sums = await this.addon.apply(
        roots.map((root) => (typeof root === 'number' ? shardNumber(root) : bytesOf(root))),
      );
      this.step++;
      return progressOf(this.step, sums);
    });
  }

  ticks(): Record<(typeof PHASES)[number], number> {
    const ticks = this.addon.ticks();
    return Object.fromEntries(PHASES.map((p, i) => [p, ticks[i]])) as Record<(typeof PHASES)[number], number>;
  }

  timePhases(on: boolean): void {
    this.addon.timePhases(on);
  }

  /** At any time: the call in progress ends soon; it and those that wait are rejected. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.addon.close();
  }

  private sharp(step: number): boolean {
    return sharpnessActive(this.plan.config, step);
  }

  protected enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.queue.then(() => this.run(job));
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.closed) throw closedError();
    try {
      return await job();
    } catch (error) {
      if (this.closed) throw closedError(error);
      throw (error as { code?: unknown }).code === 'refused'
        ? refused((error as Error).message, error)
        : this.explain(error);
    }
  }
}

function closedError(cause?: unknown): ImplicamError {
  return new ImplicamError('trainer-closed', 'the trainer is closed; open another one', {
    status: 409,
    cause,
  });
}

function refused(why: string, cause?: unknown): ImplicamError {
  return new ImplicamError('reduction-refused', why, { status: 409, cause });
}

/** A shard's number as the addon takes it: what is no 32-bit integer is hosted nowhere. */
function shardNumber(shard: number): number {
  return Number.isInteger(shard) && shard >= 0 && shard < 2 ** 31 ? shard : -1;
}

function bytesOf(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array))
    throw refused('a gradient sum must be a Uint8Array: pass what take() gave');
  return bytes;
}

function progressOf(step: number, sums: StepSums): Progress {
  const mse = sums.squared / Math.max(1, sums.samples);
  return { step, loss: sums.loss, psnr: -10 * Math.log10(Math.max(mse, 1e-10)) };
}
