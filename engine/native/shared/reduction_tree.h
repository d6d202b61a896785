// The order in which shards are summed: model/reduction.ts, `reductionTree`. At stride 1, 2, 4 … node s + stride is added
// to node s, for every s that 2·stride divides; the sums of one stride do not depend on each other.
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

struct NodeSum {
  int into, from;
};

// Sum i of a stride.
IC_EITHER NodeSum nodeSum(int stride, int i) { return {2 * stride * i, 2 * stride * i + stride}; }

// Calls f(stride, sums) for the strides of the tree over n nodes, in their order.
template <class F>
inline void forEachStride(int n, F f) {
  for (int stride = 1; stride < n; stride *= 2) f(stride, (n + stride - 1) / (2 * stride));
}

// Calls f(into, from) for every sum of the tree over n nodes, children first.
template <class F>
inline void forEachSum(int n, F f) {
  forEachStride(n, [&](int stride, int sums) {
    for (int i = 0; i < sums; i++) {
      const NodeSum sum = nodeSum(stride, i);
      f(sum.into, sum.from);
    }
  });
}

}  // namespace implicam::IC_SPACE
