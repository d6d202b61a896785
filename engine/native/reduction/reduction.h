// What goes from runner to runner: the value of a node of the reduction tree, i.e. the summed gradient of the shards
// below it, as bytes (docs/reference/MODEL.md, "Reduction").
//
// A training's lines, 16 numbers each, may be dealt out to lanes: block after block of 64 lines, in turns. Each lane is
// summed and sent by itself, so that several runners can be roots at once; the order of additions is the same.
//
// A value is, all little-endian: a NodeHeader; the lane's lines of the shared parameters; a list of the lane's grid lines
// that are not zero (the atlas', then the map's), for each how many lines were left out since the one before (LEB128) and
// a byte with a bit for each of its 8 nodes that is not zero; then, line after line, the features of those nodes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace implicam {

constexpr int LINE = 16;  // numbers; a cache line of floats, 8 nodes of two features

constexpr int LANE_BLOCK = 64;  // lines

// The part of a training that a value tells of.
struct Lane {
  int index = 0, count = 1;

  // Calls visit(a, b) for the runs of the lane's lines within [from, to).
  template <class Visit>
  void runs(int64_t from, int64_t to, Visit visit) const {
    if (count == 1) {
      if (from < to) visit(from, to);
      return;
    }
    int64_t block = from / LANE_BLOCK;
    block += (index - block % count + count) % count;
    for (; block * LANE_BLOCK < to; block += count)
      visit(std::max(from, block * LANE_BLOCK), std::min(to, (block + 1) * LANE_BLOCK));
  }

  bool has(int64_t line) const { return (uint32_t)(line / LANE_BLOCK) % (uint32_t)count == (uint32_t)index; }

  // How many of the first `lines` lines are the lane's.
  int64_t of(int64_t lines) const {
    int64_t n = 0;
    runs(0, lines, [&](int64_t a, int64_t b) { n += b - a; });
    return n;
  }
};

// What a caller may not do or send: the trainer is as it was.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct NodeHeader {
  uint32_t magic;
  uint32_t numberBytes;  // 4 or 8
  uint64_t trainer;      // what must be the same on every runner: shapes, seed, precision
  int64_t step;
  int32_t shard, shards;  // the leftmost below the node, and how many
  uint32_t denseLines, atlasLines, mapLines;
  uint16_t lane, lanes;
  double loss, squared, samples;
  uint64_t checksum;  // of everything behind the header, and of the header before this
};
static_assert(sizeof(NodeHeader) == 80);
constexpr uint32_t NODE_MAGIC = 0x32444e49;  // "IND2"

// What a received value must fit.
struct NodeShape {
  uint32_t numberBytes;
  uint64_t trainer;
  uint32_t denseLines, atlasLines, mapLines;  // all lines that there are, of all lanes

  size_t lineBytes() const { return (size_t)numberBytes * LINE; }
  // Of a grid line with that many nodes that are not zero.
  size_t sparseBytes(int nodes) const { return 2 * (size_t)numberBytes * nodes; }
};

// A grid line in a value: its number, which of its nodes are there, and where their features are.
struct SparseLine {
  uint32_t number;
  uint8_t nodes;
  size_t at;
};

// A received value, checked: its parts within the bytes.
struct NodeView {
  NodeHeader header;
  const uint8_t *dense, *bytes, *end;
  size_t lineBytes;
  std::vector<SparseLine> lines;  // the atlas', then the map's
  Lane lane() const { return {header.lane, header.lanes}; }
};

// Bytes of the list entry of a line that follows `gap` lines that are left out.
inline size_t entryBytes(uint32_t gap) {
  size_t bytes = 2;
  while (gap >>= 7) bytes++;
  return bytes;
}
// Writes it and answers with where the next one goes.
inline uint8_t* putEntry(uint8_t* to, uint32_t gap, uint8_t nodes) {
  for (; gap >= 128; gap >>= 7) *to++ = (uint8_t)(gap | 128);
  *to++ = (uint8_t)gap;
  *to++ = nodes;
  return to;
}
// Refuses whatever is not exactly a value of this training: length, counts, order and range of lines, checksum.
NodeView readNode(const uint8_t* bytes, size_t size, const NodeShape& shape, int64_t step, int lanes);
// Writes the header, its checksum over the rest included.
void sealNode(uint8_t* bytes, size_t size, NodeHeader header);

// FNV-1a, to name a training by its numbers.
struct Fingerprint {
  uint64_t value = 14695981039346656037u;
  void add(int64_t x) {
    for (int i = 0; i < 8; i++) value = (value ^ ((uint64_t)x >> (8 * i) & 255)) * 1099511628211u;
  }
};

}  // namespace implicam
