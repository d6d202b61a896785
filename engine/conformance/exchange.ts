import { assert } from '../../model/errors.js';
import { planReduction } from '../../model/reduction.js';
import {
  type Engine,
  isReducing,
  type Progress,
  type Root,
  type SceneData,
  type ShardedTrainer,
  type Trainer,
  type TrainingState,
} from '../engine.js';
import type { Run } from './runs.js';

/** Several trainers in this process that hold a trainer together: the exchange of runners without a network. */
export interface Group {
  readonly placement: readonly number[];
  readonly members: readonly ShardedTrainer[];
}

/** Opens a trainer a holder: `placement[s]` is who hosts shard s. `data`: what a member is given, instead of the run's. */
export async function openGroup(
  engine: Engine,
  run: Run,
  placement: readonly number[],
  data: (shards: readonly number[]) => SceneData = () => run.data,
): Promise<Group> {
  const members: ShardedTrainer[] = [];
  for (let h = 0; h <= Math.max(...placement); h++) {
    const shards = [...placement.keys()].filter((s) => placement[s] === h);
    members.push(requireSharded(await engine.open(run.plan, data(shards), run.state, { shards })));
  }
  return { placement, members };
}

/** The trainer of an engine that says that its trainers share steps. */
export function requireSharded(trainer: Trainer): ShardedTrainer {
  assert(isReducing(trainer), 'trainers of a reducing engine share steps');
  return trainer;
}

/** Adds a step's gradients over the members as they planned it, and gives everybody the roots: what each then applies. */
export async function exchange({ placement, members }: Group, lanes = 1): Promise<Root[][]> {
  const mail = new Map<string, Promise<Uint8Array>>();
  const deliver = new Map<string, (bytes: Uint8Array) => void>();
  const box = (key: string) => {
    if (!mail.has(key)) mail.set(key, new Promise((resolve) => deliver.set(key, resolve)));
    return mail.get(key)!;
  };
  const post = async (key: string, bytes: Uint8Array) => {
    void box(key);
    deliver.get(key)!(bytes);
  };
  const run = async (self: number, index: number) => {
    const member = members[self];
    let root: Root = -1;
    const lane = { index, count: lanes };
    for (const op of planReduction(placement.length, (s) => placement[s], self, lane)) {
      if (op.kind === 'combine') await member.combine(op.into, op.from, index);
      else if (op.kind === 'send') await post(`${index}:${op.node}`, await member.take(op.slot, index));
      else if (op.kind === 'receive') await member.add(op.slot, await box(`${index}:${op.node}`));
      else if (op.kind === 'root') root = op.slot;
      else if (op.kind === 'receiveRoot') root = await box(`${index}:root>${self}`);
      else {
        const value: Uint8Array = typeof root === 'number' ? await member.take(root, index) : root;
        await post(`${index}:root>${op.to}`, value);
      }
    }
    return root;
  };
  return Promise.all(
    members.map((_, self) => Promise.all(Array.from({ length: lanes }, (_, lane) => run(self, lane)))),
  );
}

/** One step of all members. */
export async function step(group: Group, number: number, lanes = 1): Promise<Progress[]> {
  await Promise.all(group.members.map((m) => m.compute(number, lanes)));
  const roots = await exchange(group, lanes);
  return Promise.all(group.members.map((m, i) => m.apply(roots[i])));
}

/** The members' parts as one state: shared groups of the first, tiles of their owners. */
export async function gather(run: Run, { placement, members }: Group): Promise<TrainingState> {
  const states = await Promise.all(members.map((m) => m.save()));
  const { size, groups } = run.plan.layout;
  const whole = {
    step: states[0].step,
    parameters: new Float32Array(size),
    m: new Float32Array(size),
    v: new Float32Array(size),
  };
  for (const { scope, offset, size: length } of groups) {
    const owner = states[scope === 'shared' ? 0 : placement[scope.shard]];
    const end = offset + Math.ceil(length / 16) * 16;
    for (const key of ['parameters', 'm', 'v'] as const) {
      whole[key].set(owner[key].subarray(offset, end), offset);
    }
  }
  return whole;
}
