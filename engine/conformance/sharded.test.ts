import { expect, test } from 'vitest';
import { ImplicamError } from '../../model/errors.js';
import { isReducing, type Progress, requireReducing } from '../engine.js';
import { describeEngines, type Subject } from './engines.js';
import { exchange, gather, openGroup, requireSharded, step } from './exchange.js';
import { hash, type Run, randomRun, SAMPLES, SPREAD } from './runs.js';

/** Several trainers that host a trainer's shards together reach the same bits as one that hosts all. */

async function together(engine: Subject, run: Run, placement: readonly number[], steps: number, lanes = 1) {
  const group = await openGroup(await member(engine), run, placement);
  let last: Progress[] = [];
  for (let i = 0; i < steps; i++) last = await step(group, i, lanes);
  const states = await Promise.all(group.members.map((m) => m.save()));
  const state = await gather(run, group);
  for (const m of group.members) m.close();
  return { last, states, state };
}

/** In another way than alone: members of one thread. */
const member = ({ create, ways }: Subject) => create(ways[1]);

async function alone({ create }: Subject, run: Run, steps: number) {
  const trainer = await (await create()).open(run.plan, run.data, run.state);
  const last = await trainer.train(steps);
  const state = await trainer.save();
  trainer.close();
  return { last, state };
}

/** Every way to share n shards among up to k holders, up to the holders' names: restricted growth strings. */
function placements(n: number, k: number): number[][] {
  if (n === 0) return [[]];
  return placements(n - 1, k).flatMap((p) =>
    Array.from({ length: Math.min(k, Math.max(-1, ...p) + 2) }, (_, h) => [...p, h]),
  );
}

const STEPS = 8;
const PARALLEL: [string, () => Run][] = [
  SAMPLES[0],
  SAMPLES[1],
  ['all losses', () => randomRun('all losses, lens')],
  ['siren, free', () => randomRun('siren free')],
];
const TILED: [string, () => Run][] = [
  SAMPLES[2],
  SAMPLES[3],
  ['tiled lens', () => randomRun('tiled lens')],
  ['tiled free', () => randomRun('tiled free')],
];

/** All of four shards' placements, or of tiles' a dozen; where a step takes its time, neighbours together. */
function placementsOf({ effort }: Subject, { plan }: Run): number[][] {
  const { length } = plan.shards;
  const neighbours = (k: number) => Array.from({ length }, (_, s) => Math.floor((s * k) / length));
  if (effort) return [1, 2, 3].map(neighbours);
  if (!plan.shards[0].tiled) return placements(length, 4);
  const holders = [1, 2, 3, 4].filter((k) => k <= length);
  return holders.flatMap((k) => [neighbours(k), Array.from({ length }, (_, s) => (s * 7 + 3) % k)]);
}

const shared = { if: ({ shares }: { readonly shares?: true }) => shares };

describeEngines(
  'shards spread over trainers',
  (engine) => {
    const steps = engine.effort ? 4 : STEPS;

    test.each(engine.effort ? SPREAD : [...PARALLEL, ...TILED])('%s', async (_, make) => {
      const run = make();
      expect(run.plan.shards.length).toBeGreaterThan(1);
      const one = await alone(engine, run, steps);
      for (const [i, placement] of placementsOf(engine, run).entries()) {
        const all = await together(engine, run, placement, steps, 1 + (i % 5));
        expect(hash(all.state), `${placement}`).toBe(hash(one.state));
        for (const progress of all.last) expect(progress).toEqual(one.last);
        if (run.plan.shards[0].tiled) continue;
        // Every member holds everything.
        for (const state of all.states) expect(hash(state), `${placement}`).toBe(hash(one.state));
      }
    });

    test('a member that is lost: its shards move, all go back to the last snapshot', async () => {
      for (const [, make] of [SAMPLES[0], SAMPLES[2]]) {
        const run = make();
        const one = await alone(engine, run, steps);
        const tiles = run.plan.shards.length;
        const placement = Array.from({ length: tiles }, (_, s) => s % 3);
        const before = await openGroup(await member(engine), run, placement);
        for (let i = 0; i < 3; i++) await step(before, i);
        const snapshot = await gather(run, before);
        await step(before, 3);
        // Half a step: the tiles of two are updated already.
        await Promise.all(before.members.slice(0, 2).map((m) => m.compute(4)));
        const moved = placement.map((h) => (h === 2 ? 1 : h));
        const after = await openGroup(await member(engine), { ...run, state: snapshot }, moved);
        // Member 0 hosts what it did, and goes back in place.
        await before.members[0].load(snapshot);
        const group = { placement: moved, members: [before.members[0], after.members[1]] };
        for (let i = 3; i < steps; i++) await step(group, i);
        expect(hash(await gather(run, group))).toBe(hash(one.state));
      }
    });

    test('a step that was given up leaves nothing behind', async () => {
      const run = SAMPLES[0][1]();
      const group = await openGroup(
        await member(engine),
        run,
        run.plan.shards.map((_, s) => s % 2),
      );
      await Promise.all(group.members.map((m) => m.compute(0)));
      await exchange(group);
      await Promise.all(group.members.map((m) => m.load(run.state)));
      for (let i = 0; i < 3; i++) await step(group, i);
      expect(hash(await gather(run, group))).toBe(hash((await alone(engine, run, 3)).state));
    });

    test('a trainer of all shards may change between whole steps and steps in parts', async () => {
      const run = SAMPLES[0][1]();
      const one = await alone(engine, run, steps);
      const group = await openGroup(await member(engine), run, [0, 0, 0, 0]);
      const [trainer] = group.members;
      await trainer.train(2);
      await step(group, 2);
      await trainer.gradient(7);
      await trainer.compute(3);
      await trainer.load(await trainer.save());
      await step(group, 3);
      await trainer.train(steps - 4);
      expect(hash(await trainer.save())).toBe(hash(one.state));
    });
  },
  shared,
);

describeEngines(
  'shards spread over trainers',
  (engine) => {
    test('with these kernels', async () => {
      const run = SAMPLES[0][1]();
      const one = await alone(engine, run, 3);
      const all = await together(engine, run, [0, 1, 2, 0], 3, 2);
      for (const state of all.states) expect(hash(state)).toBe(hash(one.state));
    });
  },
  { ...shared, everyKernel: true },
);

const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImplicamError', code, message: expect.stringMatching(message) });
const no = (message: RegExp) => refused('reduction-refused', message);

describeEngines(
  'a trainer that hosts some shards',
  (engine) => {
    test('refuses what is out of turn and goes on', async () => {
      const run = SAMPLES[0][1]();
      const one = await alone(engine, run, 3);
      const group = await openGroup(await member(engine), run, [0, 0, 1, 1]);
      const [a, b] = group.members as [(typeof group.members)[0], (typeof group.members)[0]];
      await expect(a.train(1)).rejects.toEqual(no(/cannot train alone/));
      await expect(a.gradient(0)).rejects.toEqual(no(/gradient of a step alone/));
      await expect(a.take(0)).rejects.toEqual(no(/no step is under way/));
      await expect(a.compute(1)).rejects.toEqual(no(/step 1 was asked for, this trainer is at step 0/));
      for (let i = 0; i < 3; i++) {
        await Promise.all([a.compute(i), b.compute(i)]);
        await expect(a.compute(i)).rejects.toEqual(no(/a step is under way/));
        await expect(a.combine(0, 2)).rejects.toEqual(no(/shard 2 is not hosted here/));
        await expect(a.combine(1, 1)).rejects.toEqual(no(/not what the tree adds/));
        await expect(a.combine(0, 0)).rejects.toEqual(no(/not what the tree adds/));
        for (const bad of [-1, 4, 1e12, 0.5, Number.NaN]) {
          await expect(a.take(bad)).rejects.toEqual(no(/not hosted here/));
          await expect(a.combine(0, bad)).rejects.toEqual(no(/not hosted here/));
        }
        await expect(a.apply([0])).rejects.toEqual(no(/not yet the sum of all/));
        const leaf = await b.take(2);
        await expect(a.add(0, leaf)).rejects.toEqual(no(/not what the tree adds/));
        await expect(a.apply([leaf])).rejects.toEqual(no(/not the sum of all/));
        await expect(a.take(0, 1)).rejects.toEqual(no(/taken in 1 lanes/));
        const roots = await exchange(group);
        await expect(a.add(0, roots[1][0] as Uint8Array)).rejects.toEqual(no(/not what the tree adds/));
        await expect(a.apply([])).rejects.toEqual(no(/give a root of each/));
        await a.apply(roots[0]);
        await b.apply(roots[1]);
        await expect(a.apply(roots[0])).rejects.toEqual(no(/no step is under way/));
      }
      for (const m of [a, b]) expect(hash(await m.save())).toBe(hash(one.state));
    });

    test('refuses to show a tiled trainer in the middle of a step', async () => {
      const run = SAMPLES[2][1]();
      const { members } = await openGroup(
        await member(engine),
        run,
        run.plan.shards.map((_, s) => s % 2),
      );
      await members[0].compute(0);
      await expect(members[0].save()).rejects.toEqual(no(/a step is under way/));
      await expect(members[0].bake()).rejects.toEqual(no(/a step is under way/));
      await members[0].load(run.state);
      expect((await members[0].save()).step).toBe(0);
    });

    test('is of its plan', async () => {
      const { plan, data, state } = SAMPLES[0][1]();
      const own = await engine.create();
      for (const shards of [[], [4], [-1], [0, 1.5]]) {
        await expect(own.open(plan, data, state, { shards })).rejects.toEqual(
          refused('engine-input', /shard/),
        );
      }
      const trainer = requireSharded(await own.open(plan, data, state, { shards: [3, 1, 3] }));
      expect(trainer.shards).toEqual([1, 3]);
    });

    test('may be closed in the middle of anything', async () => {
      for (const [, make] of [SAMPLES[0], SAMPLES[2]]) {
        const { plan, data, state } = make();
        const trainer = requireSharded(await (await engine.create()).open(plan, data, state));
        const calls = [trainer.compute(0), trainer.combine(0, 1), trainer.take(0), trainer.bake()];
        const ends = calls.map((c) =>
          c.then(
            () => undefined,
            (e) => e,
          ),
        );
        await new Promise((resolve) => setImmediate(resolve));
        trainer.close();
        trainer.close();
        for (const end of (await Promise.all(ends)).slice(1))
          expect(end).toEqual(refused('trainer-closed', /closed/));
        await expect(trainer.compute(0)).rejects.toBeInstanceOf(ImplicamError);
      }
    });
  },
  shared,
);

describeEngines('whether it shares steps', ({ create, shares }) => {
  test('is what it says', async () => {
    const { plan, data, state } = randomRun('hash lens');
    const engine = await create();
    expect(engine.reducing).toBe(shares === true);
    expect(isReducing(await engine.open(plan, data, state))).toBe(shares === true);
    if (shares) {
      requireReducing(engine);
      return;
    }
    expect(() => requireReducing(engine)).toThrow(/in one process only.*build the native engine/);
    await expect(engine.open(plan, data, state, { shards: [0] })).rejects.toEqual(
      refused('engine-unusable', /cannot host some shards.*build the native engine/),
    );
  });
});
