import { assert } from './errors.js';

/**
 * Who adds what to what, and who sends it to whom, so that shared gradients are summed in one fixed binary tree over shard
 * numbers wherever the shards live.
 *
 * A node of the tree is named by its leftmost shard. First every shard is a node; at stride 1, 2, 4 … node s + stride is
 * added to node s for every s that 2·stride divides. The value of a node stands with the holder of its leftmost
 * shard, so an addition is local or costs one message. The root, node 0, then goes back along a tree of holders.
 *
 * Messages up: one for each sum whose two sides have different holders; holders − 1 where every holder's shards are one
 * whole node (e.g. 8 shards as 0–3, 4–5, 6–7). Messages down: always holders − 1.
 */
export type ReductionOperation<Holder> =
  /** Add node `from`, here too, to node `into`. */
  | { readonly kind: 'combine'; readonly into: number; readonly from: number }
  /** Send the value of node `node`, complete now, to where node `into` is. */
  | { readonly kind: 'send'; readonly node: number; readonly into: number; readonly to: Holder }
  /** Wait for the value of node `node` and add it to node `into`. */
  | { readonly kind: 'receive'; readonly node: number; readonly into: number; readonly from: Holder }
  /** Wait for the sum of all shards; everything of this holder's own has been sent. */
  | { readonly kind: 'receiveRoot'; readonly from: Holder }
  /** Pass the sum of all shards on: this holder has it, received or (the holder of shard 0) summed. */
  | { readonly kind: 'sendRoot'; readonly to: Holder };

/** The additions of the tree over `shards` shards, in an order in which they can be made: node `from` to node `into`. */
export function reductionTree(shards: number): { readonly into: number; readonly from: number }[] {
  assert(Number.isInteger(shards) && shards > 0, `a session has at least one shard, not ${shards}`);
  const sums: { into: number; from: number }[] = [];
  for (let stride = 1; stride < shards; stride *= 2) {
    for (let into = 0; into + stride < shards; into += 2 * stride) sums.push({ into, from: into + stride });
  }
  return sums;
}

/**
 * What one holder does in a step, in order, after its gradients and before its update. Every holder that goes through its
 * list in order comes to its end: whatever one waits for stands no later in the order of the tree with its sender.
 *
 * @param holderOf who hosts a shard; holders are compared with ===
 * @param self a holder of at least one shard
 */
export function planReduction<Holder>(
  shards: number,
  holderOf: (shard: number) => Holder,
  self: Holder,
): ReductionOperation<Holder>[] {
  const operations: ReductionOperation<Holder>[] = [];
  for (const { into, from } of reductionTree(shards)) {
    const [to, by] = [holderOf(into), holderOf(from)];
    if (to === self && by === self) operations.push({ kind: 'combine', into, from });
    else if (by === self) operations.push({ kind: 'send', node: from, into, to });
    else if (to === self) operations.push({ kind: 'receive', node: from, into, from: by });
  }
  const { parent, children } = rootNeighbours(shards, holderOf, self);
  if (parent !== undefined) operations.push({ kind: 'receiveRoot', from: parent.holder });
  for (const to of children) operations.push({ kind: 'sendRoot', to });
  return operations;
}

/**
 * The tree that the root goes down: a holder gets it from the one to whom its own first shard's node was added. That
 * one holds a lower shard, so there is no circle. Children with the most below them come first.
 */
function rootNeighbours<Holder>(shards: number, holderOf: (shard: number) => Holder, self: Holder) {
  const first = new Map<Holder, number>();
  for (let s = 0; s < shards; s++) if (!first.has(holderOf(s))) first.set(holderOf(s), s);
  assert(first.has(self), 'only a holder of shards takes part in a reduction');
  const parentOf = (shard: number) => holderOf(shard & (shard - 1));
  const below = new Map<Holder, number>();
  // From the last to the first: what is below a holder is known before it is added to its parent's.
  for (const [holder, shard] of [...first].reverse()) {
    const size = (below.get(holder) ?? 0) + 1;
    below.set(holder, size);
    if (shard > 0) below.set(parentOf(shard), (below.get(parentOf(shard)) ?? 0) + size);
  }
  const children = [...first]
    .filter(([, shard]) => shard > 0 && parentOf(shard) === self)
    .map(([holder]) => holder)
    .sort((a, b) => below.get(b)! - below.get(a)!);
  const own = first.get(self)!;
  return { parent: own > 0 ? { holder: parentOf(own) } : undefined, children };
}
