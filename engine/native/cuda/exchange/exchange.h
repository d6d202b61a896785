// What runners of one machine exchange, from device to device: the gradients of shards as values of the reduction tree, which
// never leave the devices. A value stands in a slot, as it was summed there: the shared parameters' gradient in the trainer's
// own memory, lines of the grids (where no tile owns them) in memory of their own, marked where they are not zero. Sums are
// taken number by number in the order of the tree, as engine/native/reduction/node_sums.h does.
//
// A value travels as a header of fixed length with the shared part, then the numbers and the values of its marked lines:
// grids are large and a step touches little of them, but how much only the header tells.
#pragma once
#include "cuda/trainer/batch.h"
#include "cuda/exchange/communicator.h"

namespace implicam::device {

class Exchange {
 public:
  // `grids`: their sums are exchanged, too.
  Exchange(Stream& stream, const Model& model, int slots, const Gradients& gradients, const Fixed& fixed, bool grids);

  void connect(std::unique_ptr<Communicator> communicator) { communicator_ = std::move(communicator); }
  Communicator& communicator() const { return *communicator_; }

  // The shards' gradients, just computed, become values; sums and marks of the grids are taken.
  void begin();
  // Adds a slot's value to another one's.
  void combine(int into, int from);
  // A slot's value becomes the message.
  void pack(int slot, const DeviceNode& node);
  void send(int peer, const Wait& wait);
  // The message becomes what comes.
  DeviceNode receive(int peer, const Wait& wait);
  // Adds the message to a slot's value.
  void add(int slot);

  // The message, as what an update takes.
  float* shared() const { return (float*)(head_.at() + sizeof(Head)); }
  struct Lines {
    const uint32_t* numbers;
    const float* values;
    int64_t count;
  };
  Lines lines(Grid which) const;
  // Nothing of this step is exchanged any more.
  void end();

 private:
  struct Head {
    DeviceNode node;
    int64_t lines[2];  // of the atlas, of the map
  };
  static_assert(sizeof(Head) % 64 == 0);
  // A grid's values by slot, and its part of the message.
  struct Part {
    GridGradient sums;
    int64_t lines = 0;  // of one slot
    Buffer<float> values, packed;
    Buffer<uint32_t> numbers;
    float* at(int slot) const { return values.at() + slot * lines * LINE; }
    uint8_t* marks(int slot) const { return sums.touched + slot * lines; }
  };
  std::vector<Communicator::Span> linesToMove() const;

  Stream& stream_;
  SharedGradient shared_;
  Fixed fixed_;
  int slots_;
  int64_t length_;  // of the shared part
  Part parts_[2];
  Head now_{};
  Buffer<uint8_t> head_;
  std::unique_ptr<Communicator> communicator_;
};

}  // namespace implicam::device
