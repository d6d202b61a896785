import { assert } from './errors.js';

/**
 * Who adds what to what, and who sends it to whom, so that shared gradients are summed in one fixed binary tree over shard
 * numbers wherever the shards live.
 *
 * First every shard is a node; at stride 1, 2, 4 … node s + stride is added to node s for every s that 2·stride divides.
 * A node's value stands in a slot: the buffer of one of the shards below it, with that shard's holder. An addition of two
 * nodes of one holder is local, another one costs one message, which is named by the upper node. The root then goes back
 * along a tree of holders.
 *
 * A large value is cut into lanes, each summed by itself: the additions are the same, but each lane's root stands with
 * another holder, so that all of them send, receive and add at once instead of waiting for one.
 *
 * Messages up, a lane: one for each sum whose two sides have different holders; holders − 1 where every holder's shards are
 * one whole node (e.g. 8 shards as 0–3, 4–5, 6–7). Messages down: always holders − 1.
 */
export type ReductionOperation<Holder> =
  /** Add what stands in slot `from` to slot `into`. */
  | { readonly kind: 'combine'; readonly into: number; readonly from: number }
  /** Send the value in a slot, complete now, as message `node`. */
  | { readonly kind: 'send'; readonly node: number; readonly slot: number; readonly to: Holder }
  /** Wait for message `node` and add it to a slot. */
  | { readonly kind: 'receive'; readonly node: number; readonly slot: number; readonly from: Holder }
  /** This holder has summed all shards, in this slot. */
  | { readonly kind: 'root'; readonly slot: number }
  /** Wait for the sum of all shards; everything of this holder's own has been sent. */
  | { readonly kind: 'receiveRoot'; readonly from: Holder }
  /** Pass the sum of all shards on: this holder has it, received or summed. */
  | { readonly kind: 'sendRoot'; readonly to: Holder };

/** The additions of the tree over `shards` shards, in an order in which they can be made: node `from` to node `into`. */
export function reductionTree(shards: number): { readonly into: number; readonly from: number }[] {
  assert(Number.isInteger(shards) && shards > 0, `a training has at least one shard, not ${shards}`);
  const sums: { into: number; from: number }[] = [];
  for (let stride = 1; stride < shards; stride *= 2) {
    for (let into = 0; into + stride < shards; into += 2 * stride) sums.push({ into, from: into + stride });
  }
  return sums;
}

/** Bytes of shared parameters for which one more lane pays: below, a message costs as much as what is in it. */
const LANE_BYTES = 256 * 1024;

/** Lanes at most: more would not make anybody wait less. */
const MOST_LANES = 16;

/** How many lanes a training's step is taken in, given its shared parameters and by how many holders. */
export function lanesFor(sharedParameters: number, holders: number): number {
  return Math.max(1, Math.min(holders, MOST_LANES, Math.floor((4 * sharedParameters) / LANE_BYTES)));
}

/**
 * What one holder does in a step for one lane, in order, after its gradients and before its update. Every holder that goes
 * through its list in order comes to its end: whatever one waits for stands no later in the order of the tree with its
 * sender. Lanes do not wait for each other.
 *
 * @param holderOf who hosts a shard; holders are compared with ===
 * @param self a holder of at least one shard
 */
export function planReduction<Holder>(
  shards: number,
  holderOf: (shard: number) => Holder,
  self: Holder,
  lane: { readonly index: number; readonly count: number } = { index: 0, count: 1 },
): ReductionOperation<Holder>[] {
  const holders = [...new Set(Array.from({ length: shards }, (_, s) => holderOf(s)))];
  assert(holders.includes(self), 'only a holder of shards takes part in a reduction');
  const operations: ReductionOperation<Holder>[] = [];
  const wanted = holders[Math.floor((lane.index * holders.length) / lane.count)]!;
  /** By leftmost shard: the slot of the node's value, and how many messages it has come along. */
  const slots = Array.from({ length: shards }, (_, s) => ({ slot: s, depth: 0 }));
  for (const { into, from } of reductionTree(shards)) {
    const [a, b] = [slots[into], slots[from]];
    const crosses = holderOf(a.slot) !== holderOf(b.slot);
    const [keep, give] = stays(a, b) ? [a, b] : [b, a];
    const [to, by] = [holderOf(keep.slot), holderOf(give.slot)];
    if (!crosses && to === self) operations.push({ kind: 'combine', into: keep.slot, from: give.slot });
    else if (by === self) operations.push({ kind: 'send', node: from, slot: give.slot, to });
    else if (to === self) operations.push({ kind: 'receive', node: from, slot: keep.slot, from: by });
    slots[into] = { slot: keep.slot, depth: Math.max(a.depth, b.depth) + (crosses ? 1 : 0) };
  }
  const { slot } = slots[0];
  const top = holders.indexOf(holderOf(slot));
  if (holders[top] === self) operations.push({ kind: 'root', slot });
  return [...operations, ...wayBack(holders, top, self)];

  /** Whether the sum of two nodes stands where the first does: with whom the lane wants its root, else in turns. */
  function stays(a: { slot: number; depth: number }, b: { slot: number; depth: number }): boolean {
    if (holderOf(a.slot) === wanted || holderOf(a.slot) === holderOf(b.slot)) return true;
    if (holderOf(b.slot) === wanted) return false;
    return ((lane.index >> Math.max(a.depth, b.depth)) & 1) === 0;
  }
}

/** One holder's part of the root's way to all: a binomial tree over the holders, counted from `top`. Longest ways first. */
function wayBack<Holder>(
  holders: readonly Holder[],
  top: number,
  self: Holder,
): ReductionOperation<Holder>[] {
  const count = holders.length;
  const at = (place: number) => holders[(place + top) % count]!;
  const own = (holders.indexOf(self) - top + count) % count;
  const operations: ReductionOperation<Holder>[] = [];
  if (own > 0) operations.push({ kind: 'receiveRoot', from: at(own & (own - 1)) });
  const lowest = own > 0 ? own & -own : 2 ** Math.ceil(Math.log2(count));
  for (let bit = lowest >> 1; bit > 0; bit >>= 1) {
    if (own + bit < count) operations.push({ kind: 'sendRoot', to: at(own + bit) });
  }
  return operations;
}
