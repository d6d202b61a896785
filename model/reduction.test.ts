import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planReduction, type ReductionOperation, reductionTree } from './reduction.js';

/** Any placement: some holders, each shard with one of them. */
const placements = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }))
  .chain(([shards, holders]) =>
    fc.array(fc.integer({ min: 0, max: holders - 1 }), { minLength: shards, maxLength: shards }),
  );

interface Outcome {
  /** What each holder has as the root; undefined where it never came. */
  readonly roots: Map<number, string | undefined>;
  readonly up: number;
  readonly down: number;
}

/** Runs every holder's list; `turn` chooses who goes on next among those who can. */
function simulate(placement: readonly number[], turn: (ready: number) => number): Outcome {
  const holders = [...new Set(placement)];
  const lists = new Map<number, ReductionOperation<number>[]>(
    holders.map((h) => [h, planReduction(placement.length, (s) => placement[s]!, h)]),
  );
  const values = new Map(placement.map((holder, s) => [`${holder}/${s}`, `${s}`]));
  const mail = new Map<string, string>();
  const roots = new Map<number, string | undefined>();
  let [up, down] = [0, 0];
  const waitsFor = (h: number) => {
    const op = lists.get(h)![0];
    if (op?.kind === 'receive') return `${op.from}>${h}:${op.node}`;
    return op?.kind === 'receiveRoot' ? `${op.from}>${h}:root` : undefined;
  };
  for (;;) {
    const ready = holders.filter((h) => {
      const wanted = waitsFor(h);
      return lists.get(h)!.length > 0 && (wanted === undefined || mail.has(wanted));
    });
    if (ready.length === 0) break;
    const h = ready[turn(ready.length)]!;
    const wanted = waitsFor(h);
    const op = lists.get(h)!.shift()!;
    const add = (into: number, value: string) =>
      values.set(`${h}/${into}`, `(${values.get(`${h}/${into}`)}+${value})`);
    if (op.kind === 'combine') add(op.into, values.get(`${h}/${op.from}`)!);
    else if (op.kind === 'receive') add(op.into, mail.get(wanted!)!);
    else if (op.kind === 'receiveRoot') roots.set(h, mail.get(wanted!));
    else if (op.kind === 'send') {
      mail.set(`${h}>${op.to}:${op.node}`, values.get(`${h}/${op.node}`)!);
      up++;
    } else {
      mail.set(`${h}>${op.to}:root`, roots.get(h) ?? values.get(`${h}/0`)!);
      down++;
    }
  }
  expect([...lists.values()].flat()).toEqual([]);
  const top = placement[0]!;
  roots.set(top, values.get(`${top}/0`));
  for (const holder of holders) if (!roots.has(holder)) roots.set(holder, undefined);
  return { roots, up, down };
}

/** The sum as one process makes it. */
function tree(shards: number): string {
  const values = Array.from({ length: shards }, (_, s) => `${s}`);
  for (const { into, from } of reductionTree(shards)) values[into] = `(${values[into]}+${values[from]})`;
  return values[0]!;
}

describe('a reduction', () => {
  test('is the fixed tree over shard numbers', () => {
    expect(tree(1)).toBe('0');
    expect(tree(4)).toBe('((0+1)+(2+3))');
    expect(tree(7)).toBe('(((0+1)+(2+3))+((4+5)+6))');
  });

  test('gives every holder the same root, whatever the placement and whoever is faster', () => {
    fc.assert(
      fc.property(placements, fc.infiniteStream(fc.nat()), (placement, turns) => {
        const { roots, up, down } = simulate(placement, (n) => turns.next().value! % n);
        const holders = new Set(placement).size;
        expect([...roots.values()]).toEqual(Array(holders).fill(tree(placement.length)));
        expect(down).toBe(holders - 1);
        const crossing = reductionTree(placement.length).filter(
          (e) => placement[e.into] !== placement[e.from],
        );
        expect(up).toBe(crossing.length);
      }),
    );
  });

  test('costs holders − 1 messages each way where every holder has one whole node', () => {
    /** Halves [from, to) until `cuts` says stop. */
    const split = (from: number, size: number, shards: number, cuts: () => boolean): number[] => {
      if (from >= shards) return [];
      if (size === 1 || !cuts()) return Array(Math.min(size, shards - from)).fill(from);
      return [...split(from, size / 2, shards, cuts), ...split(from + size / 2, size / 2, shards, cuts)];
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.infiniteStream(fc.boolean()), (shards, cuts) => {
        const placement = split(0, 64, shards, () => cuts.next().value!);
        const { up, down } = simulate(placement, () => 0);
        expect([up, down]).toEqual([new Set(placement).size - 1, new Set(placement).size - 1]);
      }),
    );
  });

  test('is only for holders of shards', () => {
    expect(() => planReduction(4, () => 'a', 'b')).toThrow(/only a holder/);
    expect(() => reductionTree(0)).toThrow(/at least one shard/);
  });
});
