import { ImplicamError } from '../../model/errors.js';
import type { Plan } from '../../model/plan.js';
import { checkData, checkState } from '../check.js';
import type { BakedPlanes, Progress, SceneData, Trainer, TrainingState, TrainOptions } from '../engine.js';
import { updateParameters } from './adam.js';
import { bakeScene } from './bake.js';
import { StepEvaluator } from './step.js';
import type { Tf } from './tensorflow/tensorflow.js';

/** Milliseconds between reports of progress. */
const REPORT_EVERY = 250;

/** One trainer of the reference engine. */
export class TfjsTrainer implements Trainer {
  readonly plan: Plan;
  private readonly tf: Tf;
  private readonly data: SceneData;
  private readonly evaluator: StepEvaluator;
  private state: TrainingState;
  private last: Progress;
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(tf: Tf, plan: Plan, data: SceneData, state: TrainingState) {
    checkData(plan, data);
    this.tf = tf;
    this.plan = plan;
    this.data = data;
    this.evaluator = new StepEvaluator(tf, plan, data);
    this.state = copyOf(plan, state);
    this.last = { step: state.step, loss: Number.NaN, psnr: Number.NaN };
  }

  load(state: TrainingState): Promise<void> {
    return this.enqueue(async () => {
      this.state = copyOf(this.plan, state);
      this.last = { step: state.step, loss: Number.NaN, psnr: Number.NaN };
    });
  }

  save(): Promise<TrainingState> {
    return this.enqueue(async () => copyOf(this.plan, this.state));
  }

  /** Loss and PSNR are NaN where no step has run since the state was loaded. */
  train(steps: number, options: TrainOptions = {}): Promise<Progress> {
    return this.enqueue(() => this.run(steps, options));
  }

  gradient(step: number): Promise<Progress & { readonly gradient: Float32Array }> {
    return this.enqueue(async () => {
      const result = await this.evaluator.evaluate(this.state.parameters, step);
      return { step, ...result };
    });
  }

  bake(): Promise<BakedPlanes> {
    return this.enqueue(() => bakeScene(this.tf, this.plan, this.data, this.state.parameters));
  }

  /** Further calls are refused; a call in progress ends. */
  close(): void {
    this.closed = true;
  }

  private async run(steps: number, options: TrainOptions): Promise<Progress> {
    let reported = performance.now();
    for (let i = 0; i < steps && !options.signal?.aborted && !this.closed; i++) {
      const { step } = this.state;
      const { loss, psnr, gradient } = await this.evaluator.evaluate(this.state.parameters, step);
      updateParameters(this.plan, this.state, gradient, step);
      this.state = { ...this.state, step: step + 1 };
      this.last = { step: step + 1, loss, psnr };
      const now = performance.now();
      if (now - reported >= REPORT_EVERY || i === steps - 1) {
        options.onProgress?.(this.last);
        reported = now;
      }
    }
    return this.last;
  }

  /** Runs one call after the other; a failed one does not hold up the next. */
  private enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.queue.then(() => {
      if (this.closed) {
        throw new ImplicamError('trainer-closed', 'the trainer is closed; open another one', {
          status: 409,
        });
      }
      return task();
    });
    this.queue = result.catch(() => undefined);
    return result;
  }
}

function copyOf(plan: Plan, state: TrainingState): TrainingState {
  checkState(plan, state);
  return {
    step: state.step,
    parameters: state.parameters.slice(),
    m: moments(state.m, state.parameters.length),
    v: moments(state.v, state.parameters.length),
  };
}

/** A copy of a moment of Adam; an empty one stands for zeros. */
function moments(given: Float32Array, length: number): Float32Array {
  return given.length > 0 ? given.slice() : new Float32Array(length);
}
