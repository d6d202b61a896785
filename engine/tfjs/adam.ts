import type { Group } from '../../model/layout.js';
import type { Plan } from '../../model/plan.js';
import { rateFactor } from '../../model/schedule.js';

const EPSILON = 1e-15;

/** What Adam keeps: parameters and their moments, all as long as the layout. Updated in place. */
export interface AdamState {
  readonly parameters: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Applies the update of a step (0-based) to every group. */
export function updateParameters(plan: Plan, state: AdamState, gradient: Float32Array, step: number): void {
  for (const group of plan.layout.groups) updateGroup(plan, group, state, gradient, step);
}

/**
 * Adam with bias correction (Kingma and Ba, ICLR 2015). In sparse groups an entry without a gradient keeps its moments:
 * most nodes of a grid are not seen in a step.
 */
function updateGroup(plan: Plan, group: Group, state: AdamState, gradient: Float32Array, step: number): void {
  const { train } = plan.config;
  const { beta1, beta2 } = train;
  const rate = train.rates[group.kind] * rateFactor(train, step);
  const correct1 = 1 / (1 - beta1 ** (step + 1));
  const correct2 = 1 / (1 - beta2 ** (step + 1));
  const { parameters, m, v } = state;
  for (let i = group.offset; i < group.offset + group.size; i++) {
    const g = gradient[i];
    if (group.sparse && g === 0) continue;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    parameters[i] -= (rate * m[i] * correct1) / (Math.sqrt(v[i] * correct2) + EPSILON);
  }
}
