// The sum of all shards, lane by lane: what stands here, and what was received.
#pragma once
#include <vector>
#include "reduction/node_sums.h"

namespace implicam {

template <class R>
class RootSums {
 public:
  // Refuses what is not one root a lane.
  RootSums(NodeSums<R>& sums, const std::vector<AnyTrainer::Root>& roots, int64_t step) : sums_(sums) {
    const int lanes = sums.lanes();
    if ((int)roots.size() != lanes)
      throw Refused("this step is taken in " + std::to_string(lanes) + " lanes: give a root of each");
    for (int l = 0; l < lanes; l++) {
      const AnyTrainer::Root& root = roots[l];
      Part part{root.slot, {l, lanes}, {}};
      if (root.received) part.view = sums.read(root.bytes, root.size, step);
      const StepResult result = root.received ? sums.rootSums(part.view) : sums.rootSums(root.slot, part.lane);
      if (root.received && part.view.header.lane != l)
        throw Refused("a received node is of lane " + std::to_string(part.view.header.lane) + ", not " + std::to_string(l));
      if (l == 0) total_ = result;
      parts_.push_back(std::move(part));
    }
  }

  // The same in every lane.
  StepResult sums() const { return total_; }

  void takeShared(R* shared) const {
    for (const Part& part : parts_)
      if (part.view.bytes) sums_.takeShared(part.view, shared);
      else sums_.takeShared(part.slot, part.lane, shared);
  }

  // Calls visit(kind, line, values) for a member's part of the grid lines that may not be zero.
  template <class Visit>
  void eachLine(int id, int members, Visit visit) const {
    for (const Part& part : parts_) {
      if (part.view.bytes) {
        sums_.eachReceived(part.view, id, members, visit);
        continue;
      }
      const ShardGradient<R>& g = sums_.gradient(part.slot);
      sums_.eachOwn(part.slot, part.lane, id, members,
                    [&](int kind, int64_t line) { visit(kind, line, (kind ? g.map : g.atlas) + line * LINE); });
    }
  }

 private:
  struct Part {
    int slot;
    Lane lane;
    NodeView view;
  };
  NodeSums<R>& sums_;
  std::vector<Part> parts_;
  StepResult total_;
};

}  // namespace implicam
