import { planReduction } from '../model/reduction.js';
import type { Progress, ReducingSession, SceneData, TrainingState } from '../runner/engines/engine.js';
import { createNativeEngine, type NativeEngine } from '../runner/engines/native.js';
import type { Run } from './runs.js';

/** Several sessions in this process that hold a session together: the exchange of runners without a network. */
export interface Group {
  readonly placement: readonly number[];
  readonly members: readonly ReducingSession[];
}

interface Options {
  /** @default the native engine, one thread a member */
  readonly engine?: { open: NativeEngine['open'] };
  readonly isa?: string;
  readonly threads?: number;
  /** What a member is given; default: the run's data and state. */
  readonly data?: (shards: readonly number[]) => SceneData;
  readonly state?: (shards: readonly number[]) => TrainingState;
}

/** Opens a session a holder: `placement[s]` is who hosts shard s. */
export async function openGroup(
  run: Run,
  placement: readonly number[],
  options: Options = {},
): Promise<Group> {
  const engine = options.engine ?? createNativeEngine({ threads: 1, ...options });
  const members: ReducingSession[] = [];
  for (let h = 0; h <= Math.max(...placement); h++) {
    const shards = [...placement.keys()].filter((s) => placement[s] === h);
    const { data = () => run.data, state = () => run.state } = options;
    members.push(await engine.open(run.plan, data(shards), state(shards), { shards }));
  }
  return { placement, members };
}

/** Adds a step's gradients over the members as they planned it, and gives everybody the root; what each then applies. */
export async function exchange({ placement, members }: Group): Promise<Uint8Array[]> {
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
  const run = async (self: number) => {
    const member = members[self]!;
    let root: Uint8Array | undefined;
    for (const op of planReduction(placement.length, (s) => placement[s]!, self)) {
      if (op.kind === 'combine') await member.combine(op.into, op.from);
      else if (op.kind === 'send') await post(`${op.node}`, await member.take(op.node));
      else if (op.kind === 'receive') await member.add(op.into, await box(`${op.node}`));
      else if (op.kind === 'receiveRoot') root = await box(`root>${self}`);
      else {
        root ??= await member.take(0);
        await post(`root>${op.to}`, root);
      }
    }
    return root ?? member.take(0);
  };
  return Promise.all(members.map((_, self) => run(self)));
}

/** One step of all members. The holder of shard 0 applies its own node, the others what they received. */
export async function step(group: Group, number: number): Promise<Progress[]> {
  await Promise.all(group.members.map((m) => m.compute(number)));
  const roots = await exchange(group);
  return Promise.all(
    group.members.map((m, i) => m.apply(m.shards.includes(0) ? { shard: 0 } : { bytes: roots[i]! })),
  );
}

/** The members' parts as one state: shared groups of the first, tiles of their owners. */
export async function gather(run: Run, { placement, members }: Group): Promise<TrainingState> {
  const states = await Promise.all(members.map((m) => m.save()));
  const { size, groups } = run.plan.layout;
  const whole = {
    step: states[0]!.step,
    parameters: new Float32Array(size),
    m: new Float32Array(size),
    v: new Float32Array(size),
  };
  for (const { scope, offset, size: length } of groups) {
    const owner = states[scope === 'shared' ? 0 : placement[scope.shard]!]!;
    const end = offset + Math.ceil(length / 16) * 16;
    for (const key of ['parameters', 'm', 'v'] as const) {
      whole[key].set(owner[key].subarray(offset, end), offset);
    }
  }
  return whole;
}
