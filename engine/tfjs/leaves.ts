import { assert } from '../../model/errors.js';
import type { Group } from '../../model/layout.js';
import type { Plan } from '../../model/plan.js';
import type { Tensor, Tf } from './tensorflow/tensorflow.js';

/** Groups of the parameter vector that a shard's loss depends on: the shared ones and the shard's own. */
export function groupsOf(plan: Plan, shard: number): Group[] {
  return plan.layout.groups.filter((g) => g.scope === 'shared' || g.scope.shard === shard);
}

/** Parameter groups as tensors, by their plain names ("atlas.grid", also for a tile's own). */
export class Leaves {
  readonly groups: readonly Group[];
  private readonly tensors: readonly Tensor[];

  constructor(groups: readonly Group[], tensors: readonly Tensor[]) {
    this.groups = groups;
    this.tensors = tensors;
  }

  /** The group's tensor, or undefined where the model has none. */
  find(name: string): Tensor | undefined {
    const at = this.groups.findIndex((g) => g.name === name || g.name.startsWith(`${name}/`));
    return at < 0 ? undefined : this.tensors[at];
  }

  get(name: string): Tensor {
    const tensor = this.find(name);
    assert(tensor, `the plan has no parameters "${name}"`);
    return tensor;
  }
}

/** Cuts the groups out of the flat vector. */
export function leafTensors(tf: Tf, groups: readonly Group[], parameters: Float32Array): Tensor[] {
  return groups.map((g) => tf.tensor1d(parameters.slice(g.offset, g.offset + g.size), 'float32'));
}
