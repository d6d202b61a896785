import { beforeAll, expect, test } from 'vitest';
import { planReduction } from '../../../model/reduction.js';
import { gather, openGroup, step } from '../../conformance/exchange.js';
import { ncclOverSockets } from '../../conformance/nccl/library.js';
import { hash, type Run, SAMPLES, SPREAD } from '../../conformance/runs.js';
import type { DeviceLink, LinkedTrainer, Progress } from '../../engine.js';
import { describeCuda, describeEmulated, unless } from '../../engines.fixture.js';
import { createCudaEngine, cudaStatus } from '../cuda-engine.js';

/**
 * Sums that go from device to device: the kernels of the exchange and its order, by the emulation and NCCL's functions over
 * sockets. The bits are those of one trainer, and of bytes.
 */

const STEPS = 4;
const DEADLINE = 20_000;

interface Ring {
  readonly placement: readonly number[];
  readonly members: readonly LinkedTrainer[];
}

const emulated = (order = 'forward') =>
  createCudaEngine({ library: 'emulated', device: order, nccl: ncclOverSockets() });

/** Trainers that hold a training together, each on a device of its own. */
async function openRing(run: Run, holders: number, engineOf = (_: number) => emulated()): Promise<Ring> {
  const shards = run.plan.shards.length;
  const placement = Array.from({ length: shards }, (_, s) => Math.floor((s * holders) / shards));
  const members: LinkedTrainer[] = [];
  const engines = Array.from({ length: holders }, (_, h) => engineOf(h));
  for (const [h, engine] of engines.entries()) {
    const own = [...placement.keys()].filter((s) => placement[s] === h);
    members.push(await engine.open(run.plan, run.data, run.state, { shards: own }));
  }
  await joinAll(members, engines[0].link as DeviceLink);
  return { placement, members };
}

async function joinAll(members: readonly LinkedTrainer[], link: DeviceLink): Promise<void> {
  const id = await link.newId();
  const ranks = members.length;
  await Promise.all(members.map((m, rank) => m.join({ id, rank, ranks }, DEADLINE)));
}

const operationsOf = ({ placement }: Ring, rank: number) =>
  planReduction(placement.length, (s) => placement[s], rank);

async function stepOf(ring: Ring, number: number): Promise<Progress[]> {
  return Promise.all(
    ring.members.map(async (member, rank) => {
      await member.compute(number);
      expect(await member.exchange(operationsOf(ring, rank), DEADLINE)).toBeUndefined();
      return member.apply([]);
    }),
  );
}

async function close({ members }: Ring): Promise<void> {
  await Promise.all(members.map((m) => m.leave()));
  for (const m of members) m.close();
}

describeEmulated('from device to device', () => {
  beforeAll(() => void ncclOverSockets());

  test.each(SPREAD)('the bits of one trainer: %s', async (_, make) => {
    const run = make();
    const alone = await emulated().open(run.plan, run.data, run.state);
    const one = await alone.train(STEPS);
    const expected = hash(await alone.save());
    alone.close();
    for (const holders of [2, 3]) {
      if (holders > run.plan.shards.length) continue;
      const ring = await openRing(run, holders);
      let last: Progress[] = [];
      for (let i = 0; i < STEPS; i++) last = await stepOf(ring, i);
      expect(hash(await gather(run, ring)), `${ring.placement}`).toBe(expected);
      for (const progress of last) expect(progress).toEqual(one);
      await close(ring);
    }
  });

  test('in any order of blocks and threads', async () => {
    const run = SAMPLES[0][1]();
    const hashes: string[] = [];
    for (const order of ['forward', 'reverse', 'shuffled']) {
      const ring = await openRing(run, 2, (h) => emulated(h ? order : 'shuffled'));
      for (let i = 0; i < STEPS; i++) await stepOf(ring, i);
      hashes.push(hash(await gather(run, ring)));
      await close(ring);
    }
    expect(new Set(hashes).size).toBe(1);
  });

  test('as bytes before and after, to the same bits', async () => {
    const run = SAMPLES[1][1]();
    const bytes = await openGroup(emulated(), run, [0, 0, 1, 1].slice(0, run.plan.shards.length));
    for (let i = 0; i < 3 * 2; i++) await step(bytes, i);
    const engine = emulated();
    const mixed = await openRing(run, 2, () => engine);
    const { members } = mixed;
    for (let i = 0; i < 2; i++) await stepOf(mixed, i);
    await Promise.all(members.map((m) => m.leave()));
    for (let i = 2; i < 4; i++) await step(mixed, i);
    await joinAll(members, engine.link as DeviceLink);
    for (let i = 4; i < 6; i++) await stepOf(mixed, i);
    expect(hash(await gather(run, mixed))).toBe(hash(await gather(run, bytes)));
    await close(mixed);
  });

  test('one that leaves in the middle of a step fails the others, who go on from a state', async () => {
    const run = SAMPLES[0][1]();
    const ring = await openRing(run, 3);
    for (let i = 0; i < 2; i++) await stepOf(ring, i);
    const state = await gather(run, ring);
    const [first, second, third] = ring.members as [LinkedTrainer, LinkedTrainer, LinkedTrainer];
    await Promise.all(ring.members.map((m) => m.compute(2)));
    await third.leave();
    third.close();
    // Nobody tells them: what they wait for goes on for ever.
    const waiting = Promise.all([first, second].map((m, rank) => m.exchange(operationsOf(ring, rank), 1000)));
    const lost = await waiting;
    expect(lost[0] ?? lost[1]).toMatchObject({ why: expect.stringMatching(/nothing happened for 1 s/) });
    for (const m of [first, second]) await expect(m.save()).resolves.toBeDefined();
    for (const m of [first, second]) m.close();

    const again = await openRing({ ...run, state }, 2);
    for (let i = 2; i < STEPS; i++) await stepOf(again, i);
    const alone = await emulated().open(run.plan, run.data, run.state);
    await alone.train(STEPS);
    expect(hash(await gather(run, again))).toBe(hash(await alone.save()));
    await close(again);
  });

  test('a step that was given up leaves nothing behind', async () => {
    const run = SAMPLES[0][1]();
    const ring = await openRing(run, 2);
    await stepOf(ring, 0);
    await Promise.all(ring.members.map((m) => m.compute(1)));
    await Promise.all(ring.members.map((m) => m.load(run.state)));
    for (let i = 0; i < STEPS; i++) await stepOf(ring, i);
    const alone = await emulated().open(run.plan, run.data, run.state);
    await alone.train(STEPS);
    expect(hash(await gather(run, ring))).toBe(hash(await alone.save()));
    await close(ring);
  });

  test('who waits stops when asked to', async () => {
    const run = SAMPLES[0][1]();
    const ring = await openRing(run, 2);
    const [first] = ring.members as [LinkedTrainer];
    await first.compute(0);
    const waiting = first.exchange(operationsOf(ring, 0), 60_000);
    first.abort();
    expect(await waiting).toMatchObject({ why: expect.stringContaining('given up') });
    await first.leave();
    await first.load(run.state);
    await first.compute(0);
    expect((await first.take(0)).length).toBeGreaterThan(0);
    for (const m of ring.members) m.close();
  });

  test('one that does not come is waited for until the deadline', async () => {
    const run = SAMPLES[0][1]();
    const engine = emulated();
    const trainer = await engine.open(run.plan, run.data, run.state);
    const id = await (engine.link as DeviceLink).newId();
    await expect(trainer.join({ id, rank: 0, ranks: 2 }, 300)).rejects.toThrow(/nothing happened/);
    const waiting = trainer.join({ id, rank: 0, ranks: 2 }, 60_000);
    trainer.abort();
    await expect(waiting).rejects.toThrow(/given up/);
    expect((await trainer.train(1)).loss).toSatisfy(Number.isFinite);
    trainer.close();
  });

  test('what is out of turn is refused', async () => {
    const run = SAMPLES[0][1]();
    const ring = await openRing(run, 2);
    const [first] = ring.members as [LinkedTrainer];
    await expect(first.exchange(operationsOf(ring, 0), 1000)).rejects.toThrow(/no step is under way/);
    await expect(first.compute(0, 2)).rejects.toThrow(/one lane/);
    await first.compute(0);
    await expect(first.take(0)).rejects.toThrow(/on devices/);
    await expect(first.apply([0])).rejects.toThrow(/give no roots/);
    await expect(first.apply([])).rejects.toThrow(/exchange the step first/);
    await expect(first.exchange([{ kind: 'root', slot: 0 }], 1000)).rejects.toThrow(/combine them first/);
    await expect(first.exchange([{ kind: 'combine', into: 0, from: 3 }], 1000)).rejects.toThrow(/not hosted/);
    for (const m of ring.members) m.close();
  });
});

describeEmulated('the library of NCCL', () => {
  test('is told of, or why there is none', () => {
    const linkOf = (nccl?: string) =>
      createCudaEngine({ library: 'emulated', ...(nccl ? { nccl } : {}) }).link;
    expect(linkOf(ncclOverSockets())).toMatchObject({ version: 22703, path: ncclOverSockets() });
    expect(linkOf()).toEqual({ missing: expect.stringMatching(/names none/) });
    expect(linkOf('none')).toEqual({ missing: expect.stringMatching(/says so/) });
    expect(linkOf('/nowhere/libnccl.so')).toEqual({
      missing: expect.stringMatching(/nowhere.*No such file/),
    });
    expect(linkOf(process.execPath)).toMatchObject({ missing: expect.any(String) });
  });

  test('devices are told apart', () => {
    const [a, b] = [emulated().link as DeviceLink, emulated().link as DeviceLink];
    expect(a.node).toBe(b.node);
    expect(a.device).not.toBe(b.device);
  });
});

const { devices, nccl } = cudaStatus();
const why =
  devices.length < 2
    ? 'there are no two CUDA devices'
    : !nccl || 'missing' in nccl
      ? `no NCCL: ${nccl?.missing}`
      : undefined;
unless(why, describeCuda)('two CUDA devices', () => {
  test.each(SAMPLES)('give the bits of one: %s', async (_, make) => {
    const run = make();
    const alone = await createCudaEngine({ device: '0' }).open(run.plan, run.data, run.state);
    await alone.train(STEPS);
    const ring = await openRing(run, 2, (h) => createCudaEngine({ device: `${h}` }));
    for (let i = 0; i < STEPS; i++) await stepOf(ring, i);
    expect(hash(await gather(run, ring))).toBe(hash(await alone.save()));
    alone.close();
    await close(ring);
  });
});
