// The exchange of a trainer's sums from device to device as its host leads it: which slot holds which node of the tree, and
// who sends what to whom. The numbers stay on the device.
#pragma once
#include <atomic>
#include <vector>
#include "device/library.h"
#include "reduction/node_part.h"

namespace implicam {

class DeviceExchange {
 public:
  DeviceExchange(const DeviceApi& api, void* trainer, const Problem& problem)
      : api_(api), trainer_(trainer), problem_(problem), fingerprint_(fingerprintOf(problem)) {}

  bool joined() const { return joined_; }
  // From any thread: the operation in progress gives up soon, and so do later ones, until `leave`.
  void abort() { aborted_ = true; }

  void join(const AnyTrainer::Membership& membership, int64_t milliseconds) {
    if (membership.carrier.empty()) throw Refused("there is no way to other devices: NCCL was not found");
    if (membership.id.size() != EXCHANGE_ID_BYTES) throw Refused("an identity of " + std::to_string(EXCHANGE_ID_BYTES) + " bytes is needed");
    const DeviceWait wait = waitOf(milliseconds);
    deviceCall([&](DeviceMessage* m) {
      return api_.join(trainer_, membership.carrier.c_str(), membership.id.data(), membership.rank, membership.ranks, &wait, m);
    });
    joined_ = true;
  }

  void leave(int64_t milliseconds) {
    const DeviceWait wait = waitOf(milliseconds);
    DeviceMessage why{};
    // Whether in peace or not, it is over.
    api_.leave(trainer_, &wait, &why);
    joined_ = aborted_ = false;
    forget();
  }

  // The gradients that were just computed, by slot.
  StepResult begin(int64_t step) {
    const size_t slots = problem_.hosted.size();
    std::vector<DeviceResult> sums(slots);
    deviceCall([&](DeviceMessage* m) { return api_.leaves(trainer_, sums.data(), m); });
    step_ = step;
    summed_ = false;
    parts_.clear();
    StepResult total;
    for (size_t slot = 0; slot < slots; slot++) {
      const DeviceResult& r = sums[slot];
      parts_.push_back({problem_.hosted[slot], 1, {r.loss, r.squared, r.samples}});
      total.loss += r.loss;
      total.squared += r.squared;
      total.samples += r.samples;
    }
    return total;
  }

  AnyTrainer::PeerLost run(const std::vector<AnyTrainer::Move>& moves, int64_t milliseconds) {
    for (const AnyTrainer::Move& move : moves) {
      try {
        make(move, milliseconds);
      } catch (const PeerFailure& e) {
        return {move.other, e.what()};
      }
    }
    return {};
  }

  // The sum of all shards is the device's message: its losses.
  StepResult root() const {
    if (!summed_) throw Refused("the sum of all shards is not here yet: exchange the step first");
    return message_.sums;
  }
  // Nothing of this step may be exchanged any more.
  void forget() {
    parts_.clear();
    summed_ = false;
  }

 private:
  // The member that a move is made with did not do its part.
  struct PeerFailure : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  void make(const AnyTrainer::Move& move, int64_t milliseconds) {
    const DeviceWait wait = waitOf(milliseconds);
    switch (move.operation) {
      case AnyTrainer::COMBINE: {
        const int into = slotOf(move.slot), from = slotOf(move.other);
        const NodePart sum = joined(parts_[into], parts_[from]);
        deviceCall([&](DeviceMessage* m) { return api_.combine(trainer_, into, from, m); });
        parts_[into] = sum;
        return;
      }
      case AnyTrainer::SEND:
        pack(move.slot);
        return post(move.other, wait);
      case AnyTrainer::RECEIVE: {
        const int slot = slotOf(move.slot);
        fetch(move.other, wait);
        const NodePart sum = joined(parts_[slot], message_);
        deviceCall([&](DeviceMessage* m) { return api_.merge(trainer_, slot, m); });
        parts_[slot] = sum;
        return;
      }
      case AnyTrainer::ROOT:
        checkRoot(parts_[slotOf(move.slot)], shards());
        pack(move.slot);
        summed_ = true;
        return;
      case AnyTrainer::RECEIVE_ROOT:
        fetch(move.other, wait);
        checkRoot(message_, shards());
        summed_ = true;
        return;
      case AnyTrainer::SEND_ROOT:
        root();
        return post(move.other, wait);
      default:
        throw Refused("an exchange has no operation " + std::to_string(move.operation));
    }
  }

  template <class Call>
  static void withMember(Call call) {
    DeviceMessage message{};
    const int failed = call(&message);
    if (failed == DEVICE_PEER_LOST) throw PeerFailure(message.text);
    if (failed) throw std::runtime_error(message.text);
  }

  void pack(int shard) {
    const int slot = slotOf(shard);
    message_ = parts_[slot];
    const auto& [loss, squared, samples] = message_.sums;
    const DeviceNode node = {fingerprint_, step_, message_.start, message_.extent, loss, squared, samples};
    deviceCall([&](DeviceMessage* m) { return api_.pack(trainer_, slot, &node, m); });
  }
  void post(int member, const DeviceWait& wait) {
    withMember([&](DeviceMessage* m) { return api_.post(trainer_, member, &wait, m); });
  }
  void fetch(int member, const DeviceWait& wait) {
    DeviceNode node{};
    withMember([&](DeviceMessage* m) { return api_.fetch(trainer_, member, &node, &wait, m); });
    if (node.trainer != fingerprint_ || node.step != step_)
      throw Refused("a received gradient sum was refused: it is of another trainer or step");
    message_ = {node.start, node.extent, {node.loss, node.squared, node.samples}};
  }

  int shards() const { return problem_.model.shards; }
  NodePart joined(const NodePart& a, const NodePart& b) const { return joinedParts(a, b, shards()); }
  int slotOf(int shard) const {
    const auto& hosted = problem_.hosted;
    const auto it = std::lower_bound(hosted.begin(), hosted.end(), shard);
    if (it == hosted.end() || *it != shard) throw Refused("shard " + std::to_string(shard) + " is not hosted here");
    if (parts_.empty()) throw Refused("shard " + std::to_string(shard) + " has no gradient: compute a step first");
    return (int)(it - hosted.begin());
  }

  DeviceWait waitOf(int64_t milliseconds) const {
    return {milliseconds, [](const void* self) -> int32_t { return ((const DeviceExchange*)self)->aborted_; }, this};
  }

  const DeviceApi& api_;
  void* trainer_;
  const Problem& problem_;
  uint64_t fingerprint_;
  bool joined_ = false, summed_ = false;
  std::atomic<bool> aborted_{false};
  int64_t step_ = 0;
  std::vector<NodePart> parts_;  // by slot
  NodePart message_;
};

}  // namespace implicam
