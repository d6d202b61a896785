// What goes from runner to runner: the value of a node of the reduction tree, i.e. the summed gradient of the shards
// below it, as bytes; and the 16-bit rounding of such values (docs/MODEL.md, "Reduction").
//
// A value is, all little-endian: a NodeHeader; the lines of the shared parameters; the 32-bit numbers, ascending, of the
// grids' lines that are not zero (the atlas', then the map's); those lines. A line is 16 numbers: as they are, or an
// int16 exponent e and 16 int16 mantissas, x = mantissa · 2^e.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace implicam {

constexpr int LINE = 16;  // numbers; a cache line of floats, 8 nodes of two features

// What a caller may not do or send: the session is as it was.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct HalfLine {
  int16_t exponent;
  int16_t mantissa[LINE];
};
static_assert(sizeof(HalfLine) == 34);

// Rounds to nearest even with the exponent of the largest magnitude. A line below 2^−100 is zero; one with a number that
// is not finite, or rounds to 2^127 or more, is NaN throughout. Rounding what is rounded changes nothing.
HalfLine packLine(const float* x);
void unpackLine(const HalfLine& line, float* x);

// In place, x = unpack(pack(x)).
template <class R>
inline void roundLine(R* x) {
  float single[LINE];
  for (int i = 0; i < LINE; i++) single[i] = (float)x[i];
  unpackLine(packLine(single), single);
  for (int i = 0; i < LINE; i++) x[i] = single[i];
}

struct NodeHeader {
  uint32_t magic;
  uint32_t numberBytes;  // 2, 4 or 8
  uint64_t session;      // what must be the same on every runner: shapes, seed, precision
  int64_t step;
  int32_t shard, shards;  // the leftmost below the node, and how many
  uint32_t denseLines, atlasLines, mapLines, reserved;
  double loss, squared, samples;
  uint64_t checksum;  // of everything behind the header, and of the header before this
};
static_assert(sizeof(NodeHeader) == 80);
constexpr uint32_t NODE_MAGIC = 0x31444e49;  // "IND1"

// What a received value must fit.
struct NodeShape {
  uint32_t numberBytes;
  uint64_t session;
  uint32_t denseLines, atlasLines, mapLines;  // all lines that there are

  size_t lineBytes() const { return numberBytes == 2 ? sizeof(HalfLine) : (size_t)numberBytes * LINE; }
};

// A received value, checked: its parts within the bytes.
struct NodeView {
  NodeHeader header;
  const uint8_t *dense, *numbers, *lines;
  size_t lineBytes;

  uint32_t number(size_t i) const;
};

size_t nodeBytes(const NodeShape& shape, const NodeHeader& header);
// Refuses whatever is not exactly a value of this session: length, counts, order and range of lines, checksum.
NodeView readNode(const uint8_t* bytes, size_t size, const NodeShape& shape, int64_t step);
// Writes the header, its checksum over the rest included.
void sealNode(uint8_t* bytes, size_t size, NodeHeader header);

// FNV-1a, to name a session by its numbers.
struct Fingerprint {
  uint64_t value = 14695981039346656037u;
  void add(int64_t x) {
    for (int i = 0; i < 8; i++) value = (value ^ ((uint64_t)x >> (8 * i) & 255)) * 1099511628211u;
  }
};

}  // namespace implicam
