// What a value of the reduction tree is the sum of.
#pragma once
#include <algorithm>
#include <string>
#include "trainer/trainer.h"

namespace implicam {

// [start, start + extent) is the full node of this height, some of whose shards the tree may not have; extent 0: nothing of
// this step.
struct NodePart {
  int start = 0, extent = 0;
  StepResult sums;
};

inline int coveredShards(int start, int extent, int shards) { return std::min(start + extent, shards) - start; }

// The sum of two nodes; refused where the tree does not add them.
inline NodePart joinedParts(const NodePart& a, const NodePart& b, int shards) {
  const NodePart &low = a.start < b.start ? a : b, &high = a.start < b.start ? b : a;
  const auto covered = [shards](int start, int extent) { return coveredShards(start, extent, shards); };
  if (low.start % (2 * low.extent) != 0 || high.start != low.start + low.extent ||
      covered(high.start, high.extent) != covered(high.start, low.extent))
    throw Refused("node " + std::to_string(b.start) + " of " + std::to_string(covered(b.start, b.extent)) +
                  " shards is not what the tree adds to node " + std::to_string(a.start) + " of " +
                  std::to_string(covered(a.start, a.extent)) + ": follow the plan of the reduction");
  return {low.start,
          2 * low.extent,
          {a.sums.loss + b.sums.loss, a.sums.squared + b.sums.squared, a.sums.samples + b.sums.samples}};
}

// Refused where a hosted node is not the sum of all shards.
inline void checkRoot(const NodePart& part, int shards) {
  if (part.start != 0 || part.extent < shards)
    throw Refused("node " + std::to_string(part.start) + " is not yet the sum of all shards: combine them first");
}

}  // namespace implicam
