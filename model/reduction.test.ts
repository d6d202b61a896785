import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lanesFor, planReduction, type ReductionOperation, reductionTree } from './reduction.js';

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
  /** Messages that each holder sent. */
  readonly sent: Map<number, number>;
}

/** A sum as it is written whichever way round it was added: in the order of shards. */
function added(a: string, b: string): string {
  const first = (value: string) => Number(/\d+/.exec(value)![0]);
  return first(a) < first(b) ? `(${a}+${b})` : `(${b}+${a})`;
}

/** Runs every holder's list; `turn` chooses who goes on next among those who can. */
function simulate(
  placement: readonly number[],
  turn: (ready: number) => number,
  lane = { index: 0, count: 1 },
): Outcome {
  const holders = [...new Set(placement)];
  const lists = new Map<number, ReductionOperation<number>[]>(
    holders.map((h) => [h, planReduction(placement.length, (s) => placement[s], h, lane)]),
  );
  const values = new Map(placement.map((holder, s) => [`${holder}/${s}`, `${s}`]));
  const mail = new Map<string, string>();
  const roots = new Map<number, string | undefined>(holders.map((h) => [h, undefined]));
  const sent = new Map(holders.map((h) => [h, 0]));
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
    const h = ready[turn(ready.length)];
    const wanted = waitsFor(h);
    const op = lists.get(h)!.shift()!;
    const add = (slot: number, value: string) =>
      values.set(`${h}/${slot}`, added(values.get(`${h}/${slot}`)!, value));
    if ('to' in op) sent.set(h, sent.get(h)! + 1);
    if (op.kind === 'combine') add(op.into, values.get(`${h}/${op.from}`)!);
    else if (op.kind === 'receive') add(op.slot, mail.get(wanted!)!);
    else if (op.kind === 'receiveRoot') roots.set(h, mail.get(wanted!));
    else if (op.kind === 'root') roots.set(h, values.get(`${h}/${op.slot}`));
    else if (op.kind === 'send') {
      expect(mail.has(`${h}>${op.to}:${op.node}`)).toBe(false);
      mail.set(`${h}>${op.to}:${op.node}`, values.get(`${h}/${op.slot}`)!);
      up++;
    } else {
      mail.set(`${h}>${op.to}:root`, roots.get(h)!);
      down++;
    }
  }
  expect([...lists.values()].flat()).toEqual([]);
  return { roots, up, down, sent };
}

/** The sum as one process makes it. */
function tree(shards: number): string {
  const values = Array.from({ length: shards }, (_, s) => `${s}`);
  for (const { into, from } of reductionTree(shards)) values[into] = `(${values[into]}+${values[from]})`;
  return values[0];
}

describe('a reduction', () => {
  test('is the fixed tree over shard numbers', () => {
    expect(tree(1)).toBe('0');
    expect(tree(4)).toBe('((0+1)+(2+3))');
    expect(tree(7)).toBe('(((0+1)+(2+3))+((4+5)+6))');
  });

  test('gives every holder the same root, whatever the placement, the lane and whoever is faster', () => {
    const lanes = fc
      .integer({ min: 1, max: 9 })
      .chain((count) => fc.record({ index: fc.nat(count - 1), count: fc.constant(count) }));
    fc.assert(
      fc.property(placements, lanes, fc.infiniteStream(fc.nat()), (placement, lane, turns) => {
        const { roots, up, down } = simulate(placement, (n) => turns.next().value! % n, lane);
        const holders = new Set(placement).size;
        expect([...roots.values()]).toEqual(Array(holders).fill(tree(placement.length)));
        expect(down).toBe(holders - 1);
        expect(up).toBeLessThan(placement.length);
      }),
    );
  });

  test('has as many roots as lanes, and as much to send for everybody', () => {
    for (const holders of [2, 4, 8]) {
      const placement = Array.from({ length: 4 * holders }, (_, s) => Math.floor(s / 4));
      const sent = new Map<number, number>();
      for (let index = 0; index < holders; index++) {
        const one = simulate(placement, () => 0, { index, count: holders });
        expect([one.up, one.down]).toEqual([holders - 1, holders - 1]);
        for (const [holder, count] of one.sent) sent.set(holder, (sent.get(holder) ?? 0) + count);
      }
      expect([...sent.values()]).toEqual(Array(holders).fill(2 * (holders - 1)));
    }
  });

  test('is taken in more lanes the more there is to send, but never in more than there are holders', () => {
    expect(lanesFor(7_296, 2)).toBe(1);
    expect(lanesFor(1_000_720, 2)).toBe(2);
    expect(lanesFor(1_000_720, 8)).toBe(8);
    expect(lanesFor(1e9, 512)).toBe(16);
    expect(lanesFor(0, 4)).toBe(1);
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
