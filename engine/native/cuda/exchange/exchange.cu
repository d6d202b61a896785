#include "cuda/exchange/exchange.h"

namespace implicam::device {
namespace {

// A line of 16 numbers on its way from memory to memory.
struct Line {
  float x[LINE];

  IC_DEVICE static Line of(const float* from) {
    Line line;
    IC_PRAGMA_UNROLL
    for (int i = 0; i < LINE; i++) line.x[i] = from[i];
    return line;
  }
  IC_DEVICE void put(float* to) const {
    IC_PRAGMA_UNROLL
    for (int i = 0; i < LINE; i++) to[i] = x[i];
  }
  IC_DEVICE void add(const float* other) {
    IC_PRAGMA_UNROLL
    for (int i = 0; i < LINE; i++) x[i] += other[i];
  }
};

// Marked lines of all slots, from sums to numbers; the sums are left clean.
struct TakeSums {
  GridGradient gradient;
  Fixed fixed;
  float* values;
  IC_DEVICE void item(int64_t i) const {
    if (!gradient.touched[i]) return;
    IC_PRAGMA_UNROLL
    for (int k = 0; k < LINE; k++) {
      values[i * LINE + k] = fixed.read(gradient.sum[i * LINE + k]);
      gradient.sum[i * LINE + k] = 0;
    }
  }
};

struct AddDense {
  float* into;
  const float* from;
  IC_DEVICE void item(int64_t i) const {
    Line line = Line::of(into + i * LINE);
    line.add(from + i * LINE);
    line.put(into + i * LINE);
  }
};

// A line that is not marked is zero, whatever stands there.
IC_DEVICE void addLine(float* into, uint8_t& mark, const float* from) {
  Line line = Line::of(from);
  if (mark) line.add(into);
  line.put(into);
  mark = 1;
}

struct AddMarked {
  float* into;
  uint8_t* marks;
  const float* from;
  const uint8_t* marksFrom;
  IC_DEVICE void item(int64_t i) const {
    if (marksFrom[i]) addLine(into + i * LINE, marks[i], from + i * LINE);
  }
};

struct AddListed {
  float* into;
  uint8_t* marks;
  const uint32_t* numbers;
  const float* from;
  IC_DEVICE void item(int64_t i) const {
    const int64_t n = numbers[i];
    addLine(into + n * LINE, marks[n], from + i * LINE);
  }
};

struct PackDense {
  const float* from;
  float* to;
  IC_DEVICE void item(int64_t i) const { to[i] = from[i]; }
};

// Marked lines one after the other, in any order: each is added by itself.
struct PackMarked {
  const float* from;
  const uint8_t* marks;
  int64_t* count;
  uint32_t* numbers;
  float* to;
  IC_DEVICE void item(int64_t i) const {
    if (!marks[i]) return;
    const int64_t place = atomicTake(count);
    numbers[place] = (uint32_t)i;
    Line::of(from + i * LINE).put(to + place * LINE);
  }
};

}  // namespace

Exchange::Exchange(Stream& stream, const Model& model, int slots, const Gradients& gradients, const Fixed& fixed,
                   bool grids)
    : stream_(stream), shared_(gradients.shared), fixed_(fixed), slots_(slots), length_(model.shared) {
  head_ = Buffer<uint8_t>(stream, sizeof(Head) + length_ * sizeof(float), "a sum of gradients");
  for (int kind = 0; kind < 2; kind++) {
    Part& p = parts_[kind];
    p.sums = kind ? gradients.map : gradients.atlas;
    p.lines = grids ? p.sums.nodes / 8 : 0;
    p.values = Buffer<float>(stream, slots * p.lines * LINE, "sums of a grid's gradients");
    p.packed = Buffer<float>(stream, p.lines * LINE, "a sum of a grid's gradients");
    p.numbers = Buffer<uint32_t>(stream, p.lines, "lines of a grid");
  }
}

void Exchange::begin() {
  for (const Part& p : parts_) stream_.items(slots_ * p.lines, TakeSums{p.sums, fixed_, p.values.at()});
}

void Exchange::combine(int into, int from) {
  stream_.items(length_ / LINE, AddDense{shared_.at + into * shared_.stride, shared_.at + from * shared_.stride});
  for (const Part& p : parts_) stream_.items(p.lines, AddMarked{p.at(into), p.marks(into), p.at(from), p.marks(from)});
}

void Exchange::pack(int slot, const DeviceNode& node) {
  now_ = {node, {}};
  stream_.upload(head_.at(), &now_, sizeof now_);
  stream_.items(length_, PackDense{shared_.at + slot * shared_.stride, (float*)(head_.at() + sizeof(Head))});
  if (parts_[0].lines + parts_[1].lines == 0) return;
  int64_t* counts = ((Head*)head_.at())->lines;
  for (int kind = 0; kind < 2; kind++) {
    const Part& p = parts_[kind];
    stream_.items(p.lines, PackMarked{p.at(slot), p.marks(slot), counts + kind, p.numbers.at(), p.packed.at()});
  }
  stream_.download(now_.lines, counts, sizeof now_.lines);
}

std::vector<Communicator::Span> Exchange::linesToMove() const {
  std::vector<Communicator::Span> spans;
  for (int kind = 0; kind < 2; kind++) {
    const size_t count = (size_t)now_.lines[kind];
    if (!count) continue;
    spans.push_back({parts_[kind].numbers.at(), count * sizeof(uint32_t)});
    spans.push_back({parts_[kind].packed.at(), count * LINE * sizeof(float)});
  }
  return spans;
}

void Exchange::send(int peer, const Wait& wait) {
  communicator().send({{head_.at(), head_.count()}}, peer, wait);
  if (const auto lines = linesToMove(); !lines.empty()) communicator().send(lines, peer, wait);
}

DeviceNode Exchange::receive(int peer, const Wait& wait) {
  communicator().receive({{head_.at(), head_.count()}}, peer, wait);
  stream_.download(&now_, head_.at(), sizeof now_);
  for (int kind = 0; kind < 2; kind++)
    if (now_.lines[kind] < 0 || now_.lines[kind] > parts_[kind].lines)
      throw std::runtime_error("a received gradient sum has more lines than the grids: it is of another trainer");
  if (const auto lines = linesToMove(); !lines.empty()) communicator().receive(lines, peer, wait);
  return now_.node;
}

void Exchange::add(int slot) {
  stream_.items(length_ / LINE, AddDense{shared_.at + slot * shared_.stride, shared()});
  for (int kind = 0; kind < 2; kind++) {
    const Part& p = parts_[kind];
    stream_.items(now_.lines[kind], AddListed{p.at(slot), p.marks(slot), p.numbers.at(), p.packed.at()});
  }
}

Exchange::Lines Exchange::lines(Grid which) const {
  const int kind = which == Grid::map;
  return {parts_[kind].numbers.at(), parts_[kind].packed.at(), now_.lines[kind]};
}

void Exchange::end() {
  for (const Part& p : parts_) stream_.zero(p.marks(0), slots_ * p.lines);
}

}  // namespace implicam::device
