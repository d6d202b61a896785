import { setImmediate } from 'node:timers/promises';
import { isWarped, type Plan } from '../../model/plan.js';
import type { SceneData } from '../engine.js';
import { drawBatch, type PatchShape, patchShape, planUnits, type Unit } from './batch.js';
import { forwardFree } from './blur-generator/free.js';
import { forwardPatches } from './blur-generator/patches.js';
import { forwardSharp } from './blur-generator/sharp.js';
import type { Forward, ForwardInput } from './forward.js';
import { groupsOf, Leaves, leafTensors } from './leaves.js';
import { Scene } from './scene/scene.js';
import type { Tensor, Tf } from './tensorflow/tensorflow.js';
import { dataLoss, type SquaredError } from './tone-mapper/data-loss.js';
import { globalPenalty } from './tone-mapper/global-penalty.js';

/** Loss, fit and gradient of one step. */
export interface StepResult {
  readonly loss: number;
  /** Of this step's samples, in dB. */
  readonly psnr: number;
  /** As long as the layout. */
  readonly gradient: Float32Array;
}

/** Evaluates the steps of one training: loss and gradient by automatic differentiation, shard after shard. */
export class StepEvaluator {
  private readonly tf: Tf;
  private readonly plan: Plan;
  private readonly data: SceneData;
  private readonly shape: PatchShape;
  private readonly units: readonly Unit[];

  /** `units`: shards to evaluate together; the default keeps the memory of a step bounded. */
  constructor(tf: Tf, plan: Plan, data: SceneData, units?: readonly Unit[]) {
    this.tf = tf;
    this.plan = plan;
    this.data = data;
    this.shape = patchShape(plan, isWarped(plan));
    this.units = units ?? planUnits(plan, this.shape);
  }

  /** The gradient of a whole step (0-based), summed in the order of the shards. Lets the event loop run between. */
  async evaluate(parameters: Float32Array, step: number): Promise<StepResult> {
    const gradient = new Float32Array(this.plan.layout.size);
    const error: SquaredError = { sum: 0, count: 0 };
    let loss = 0;
    for (const unit of this.units) {
      loss += this.accumulate(gradient, parameters, unit.shards[0], (leaves) =>
        this.unitLoss(leaves, unit, step, error),
      );
      await setImmediate();
    }
    loss += this.accumulate(gradient, parameters, 0, (leaves) => globalPenalty(this.tf, this.plan, leaves));
    return { loss, psnr: psnrOf(error), gradient };
  }

  /** Differentiates one term of the loss by a shard's parameters and adds to the flat gradient. */
  private accumulate(
    gradient: Float32Array,
    parameters: Float32Array,
    shard: number,
    term: (leaves: Leaves) => Tensor | undefined,
  ): number {
    const { tf } = this;
    return tf.tidy(() => {
      const groups = groupsOf(this.plan, shard);
      const leaves = leafTensors(tf, groups, parameters);
      let present = true;
      const { value, grads } = tf.engine().gradients(
        () => {
          const loss = term(new Leaves(groups, leaves));
          present = loss !== undefined;
          return loss ? loss.asScalar() : tf.scalar(0);
        },
        leaves,
        undefined,
        // A term need not depend on every group.
        true,
      );
      if (!present) return 0;
      for (const [k, group] of groups.entries()) {
        // Not every group has a gradient, whatever the type says.
        const slice = (grads[k] as Tensor | null)?.dataSync();
        if (!slice) continue;
        for (let i = 0; i < group.size; i++) gradient[group.offset + i] += slice[i];
      }
      return value.dataSync()[0];
    });
  }

  private unitLoss(leaves: Leaves, unit: Unit, step: number, error: SquaredError): Tensor {
    const { tf, plan, data, shape } = this;
    const scene = new Scene(tf, plan, data, plan.shards[unit.shards[0]].grid);
    const batch = drawBatch(plan, unit, shape, step);
    const forward = render({ tf, plan, scene, leaves, batch, shape });
    const loss = dataLoss(tf, plan, data, batch, shape, leaves, forward, step, error);
    return forward.penalty ? tf.add(loss, forward.penalty) : loss;
  }
}

function render(input: ForwardInput): Forward {
  const { blur } = input.plan.config;
  if (blur.form === 'none') return forwardSharp(input);
  if (blur.form === 'free') return forwardFree(input, blur);
  return forwardPatches(input);
}

/** In dB, at most 100; an error of nothing, and of no pixel, is the best. */
function psnrOf(error: SquaredError): number {
  return -10 * Math.log10(Math.max(error.sum / Math.max(1, error.count), 1e-10));
}
