import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reductionTree } from '../../../model/reduction.js';
import { exchange, type Group, openGroup as openGroupOf } from '../../conformance/exchange.js';
import { hash, type Run, randomRun, SAMPLES } from '../../conformance/runs.js';
import { describeNative } from '../../engines.fixture.js';
import { createNativeEngine } from '../native-engine.js';
import { HEADER, type NodeValue, readNode, seal } from './gradient-bytes.fixture.js';

/** What goes from runner to runner: its numbers against a plain sum, and what happens to damaged bytes. */

const openGroup = (run: Run, placement: readonly number[]) =>
  openGroupOf(createNativeEngine({ threads: 1 }), run, placement);

/** Steps away from the start, where the scene's grids have gradients. */
async function trained(run: Run): Promise<Run> {
  const { members } = await openGroup(run, Array(run.plan.shards.length).fill(0));
  await members[0].train(5);
  return { ...run, state: await members[0].save() };
}

const lines = (value: NodeValue) => [
  ...value.dense.map((line, i): [string, Float32Array] => [`dense ${i}`, line]),
  ...[...value.atlas].map(([i, line]): [string, Float32Array] => [`atlas ${i}`, line]),
  ...[...value.map].map(([i, line]): [string, Float32Array] => [`map ${i}`, line]),
];

/** Sum of two nodes by line; what one of them lacks is zero. */
function sum(a: Map<string, Float32Array>, b: Map<string, Float32Array>) {
  const out = new Map(a);
  for (const [key, line] of b) {
    const before = a.get(key) ?? new Float32Array(line.length);
    out.set(
      key,
      line.map((x, i) => before[i] + x),
    );
  }
  return out;
}

const isZero = (line: Float32Array) => line.every((x) => x === 0);

const RUNS: [string, () => Run][] = [
  SAMPLES[0],
  SAMPLES[1],
  ['no grids', () => randomRun('siren free')],
  ['tiled', () => randomRun('tiled lens')],
];

describeNative('the bytes of a gradient sum', () => {
  test.each(RUNS)('hold the sums of the fixed tree: %s', async (_, make) => {
    const run = await trained(make());
    const { length } = run.plan.shards;
    const step = run.state.step;
    const group = await openGroup(run, Array(length).fill(0));
    await group.members[0].compute(step);
    const values: NodeValue[] = [];
    for (let s = 0; s < length; s++) values.push(readNode(await group.members[0].take(s)));
    const [[slot]] = (await exchange(group)) as [[number]];
    const root = readNode(await group.members[0].take(slot));
    for (const [s, value] of values.entries()) {
      expect(value).toMatchObject({ numberBytes: 4, step, shard: s, shards: 1 });
    }
    const nodes = values.map((v) => new Map(lines(v)));
    const losses = values.map((v) => v.loss);
    for (const { into, from } of reductionTree(length)) {
      nodes[into] = sum(nodes[into], nodes[from]);
      losses[into] += losses[from];
    }
    const kept = [...nodes[0]].filter(([key, line]) => key.startsWith('dense') || !isZero(line));
    expect(new Map(lines(root))).toEqual(new Map(kept));
    expect(root).toMatchObject({ shard: 0, shards: length, loss: losses[0] });
  });

  test('tell of a lane what they tell of it without lanes', async () => {
    const run = await trained(SAMPLES[0][1]());
    const value = async (slot: number, lanes: number) => {
      const { members } = await openGroup(run, [0, 0, 0, 0]);
      await members[0].compute(run.state.step, lanes);
      const bytes = Array.from({ length: lanes }, (_, lane) => members[0].take(slot, lane));
      return (await Promise.all(bytes)).map(readNode);
    };
    const [whole] = await value(1, 1);
    const parts = await value(1, 3);
    for (const [index, { lane, lanes, loss }] of parts.entries()) {
      expect({ lane, lanes, loss }).toEqual({ lane: index, lanes: 3, loss: whole.loss });
    }
    for (const kind of ['atlas', 'map'] as const) {
      for (const [index, part] of parts.entries()) {
        for (const line of part[kind].keys()) expect(Math.floor(line / 64) % 3).toBe(index);
      }
      const all = parts.flatMap((part) => [...part[kind]]).sort(([a], [b]) => a - b);
      expect(all).toEqual([...whole[kind]]);
    }
    expect(parts.reduce((sum, { dense }) => sum + dense.length, 0)).toBe(whole.dense.length);
  });

  test('list only lines that are not zero, in ascending order', async () => {
    const run = await trained(SAMPLES[0][1]());
    const { members } = await openGroup(run, [0, 1, 1, 1]);
    await members[0].compute(run.state.step);
    const { atlas, map } = readNode(await members[0].take(0));
    for (const lines of [atlas, map]) {
      expect(lines.size).toBeGreaterThan(10);
      expect([...lines.keys()]).toEqual([...lines.keys()].sort((a, b) => a - b));
      for (const line of lines.values()) expect(isZero(line)).toBe(false);
    }
  });
});

describeNative('damaged bytes', () => {
  let run: Run;
  let group: Group;
  let good: Uint8Array;

  beforeAll(async () => {
    run = await trained(randomRun('hash lens'));
    group = await openGroup(run, [0, 0, 1, 1]);
    for (const m of group.members) await m.compute(run.state.step);
    await group.members[0].combine(0, 1);
    await group.members[1].combine(2, 3);
    good = await group.members[1].take(2);
  });
  afterAll(() => {
    for (const m of group.members) m.close();
  });

  const refusal = (promise: Promise<unknown>) =>
    expect(promise).rejects.toMatchObject({
      name: 'ImplicamError',
      code: 'reduction-refused',
      message: expect.stringMatching(/received/),
    });

  const damage = (bytes: Uint8Array) =>
    fc.oneof(
      fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
        const out = bytes.slice();
        out[at] ^= 1 << bit;
        return out;
      }),
      fc.nat(bytes.length - 1).map((length) => bytes.slice(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((more) => Buffer.concat([bytes, more])),
      fc.uint8Array({ maxLength: 2000 }),
      fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 })).map(([at, part]) => {
        const out = bytes.slice();
        out.set(part.subarray(0, bytes.length - at), at);
        return out;
      }),
    );

  test('are refused, and change nothing', async () => {
    const before = await group.members[0].take(0);
    await fc.assert(
      fc.asyncProperty(damage(good), async (bytes) => {
        fc.pre(Buffer.compare(bytes, good) !== 0);
        await refusal(group.members[0].add(0, bytes));
        await refusal(group.members[0].apply([bytes]));
      }),
      { numRuns: 300 },
    );
    expect(Buffer.compare(await group.members[0].take(0), before)).toBe(0);
  });

  test('are refused for what they say, checksum or not', async () => {
    const view = new DataView(good.buffer, good.byteOffset);
    const [dense, atlas, map] = [32, 36, 40].map((at) => view.getUint32(at, true)) as [
      number,
      number,
      number,
    ];
    expect(Buffer.compare(seal(good), good)).toBe(0);
    const list = HEADER + dense * 64;
    const said = async (change: (v: DataView) => void) => {
      const bytes = good.slice();
      change(new DataView(bytes.buffer));
      await refusal(group.members[0].add(0, seal(bytes)));
    };
    for (const at of [0, 4, 8, 16, 24, 28, 32, 36, 40, 44]) {
      for (const value of [0xffffffff, 0x7fffffff, 0x80000000, view.getUint32(at, true) + 1]) {
        await said((v) => v.setUint32(at, value, true));
      }
    }
    // A list of lines whose numbers never end, that has a line of no nodes, or of more than there are.
    await said((v) => {
      for (let i = 0; i < 8; i++) v.setUint8(list + i, 255);
    });
    await said((v) => v.setUint8(list + 1, 0));
    await said((v) => v.setUint8(list + 1, good[list + 1] ^ 128));
    // More of the atlas' and fewer of the map's: the length is right.
    await said((v) => {
      v.setUint32(36, atlas + map, true);
      v.setUint32(40, 0, true);
    });
  });

  test('of another trainer or step', async () => {
    const { plan, data, state } = run;
    const others: Run[] = [
      { ...run, state: { ...state, step: state.step + 1 } },
      { ...run, plan: { ...plan, seed: plan.seed + 1 } },
      { ...run, plan: { ...plan, config: { ...plan.config, train: { ...plan.config.train, beta2: 0.98 } } } },
      { plan: randomRun('free, linear light').plan, data, state: randomRun('free, linear light').state },
    ];
    for (const other of others) {
      const { members } = await openGroup(other, [0, 0, 1, 1]);
      await members[1].compute(other.state.step);
      await members[1].combine(2, 3);
      await refusal(group.members[0].add(0, await members[1].take(2)));
      for (const m of members) m.close();
    }
    // And the right ones are still taken.
    await group.members[0].add(0, good);
    const root = await group.members[0].take(0);
    await group.members[0].apply([0]);
    await group.members[1].apply([root]);
    const [a, b] = await Promise.all(group.members.map((m) => m.save()));
    expect(hash(a)).toBe(hash(b));
  });
});
