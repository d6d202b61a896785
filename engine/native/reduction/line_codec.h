// Lines of gradients as bytes on their way between runners: as they are, or each rounded to a common exponent and 16 bits
// (reduction.h). Sums are rounded in the same way wherever they are added, so that the bits do not depend on what travelled.
#pragma once
#include <algorithm>
#include <cstring>
#include "shared/plan.h"
#include "reduction/reduction.h"

namespace implicam {

template <class R>
struct LineCodec {
  bool half;

  void add(R* a, const R* b) const {
    for (int i = 0; i < LINE; i++) a[i] += b[i];
    if (half) roundLine(a);
  }

  // A bit for each node of a line that is not zero. Which ones are not is as good as random: nothing here branches on it.
  static uint8_t nodesOf(const R* line) {
    unsigned nodes = 0;
    for (int k = 0; k < 8; k++) nodes |= (unsigned)((line[2 * k] != 0) | (line[2 * k + 1] != 0)) << k;
    return (uint8_t)nodes;
  }

  void put(uint8_t* to, const R* line) const {
    if (!half) {
      std::memcpy(to, line, LINE * sizeof(R));
      return;
    }
    const HalfLine packed = packed16(line);
    std::memcpy(to, &packed, sizeof packed);
  }

  void get(const uint8_t* from, R* line) const {
    if (!half) {
      std::memcpy(line, from, LINE * sizeof(R));
      return;
    }
    HalfLine packed;
    std::memcpy(&packed, from, sizeof packed);
    unpacked16(packed, line);
  }

  // Writes the nodes of a grid line that `nodes` has bits for, one after the other; where the next line goes. Nothing at
  // `end` or behind it is touched.
  uint8_t* putNodes(uint8_t* to, const uint8_t* end, const R* line, unsigned nodes) const {
    if (!half) return close<2 * sizeof(R)>(to, end, (const uint8_t*)line, nodes);
    const HalfLine packed = packed16(line);
    std::memcpy(to, &packed.exponent, 2);
    return close<4>(to + 2, end, (const uint8_t*)packed.mantissa, nodes);
  }

  // Reads what putNodes wrote; the other nodes are zero.
  void getNodes(const uint8_t* from, const uint8_t* end, unsigned nodes, R* line) const {
    if (!half) {
      open<2 * sizeof(R)>(from, end, nodes, (uint8_t*)line);
      return;
    }
    HalfLine packed;
    std::memcpy(&packed.exponent, from, 2);
    open<4>(from + 2, end, nodes, (uint8_t*)packed.mantissa);
    unpacked16(packed, line);
  }

 private:
  // Features of one node.
  template <size_t BYTES>
  struct Features {
    uint32_t word[BYTES / 4];
  };

  // Copies the nodes of a whole line that `nodes` has bits for to `to`, close together. With room for all eight each is
  // written, and the next over it where it was not wanted.
  template <size_t BYTES>
  static uint8_t* close(uint8_t* to, const uint8_t* end, const uint8_t* line, unsigned nodes) {
    if (end - to < (ptrdiff_t)(8 * BYTES)) {
      for (; nodes; nodes &= nodes - 1, to += BYTES) std::memcpy(to, line + BYTES * __builtin_ctz(nodes), BYTES);
      return to;
    }
    for (int k = 0; k < 8; k++) {
      std::memcpy(to, line + BYTES * k, BYTES);
      to += BYTES * (nodes >> k & 1);
    }
    return to;
  }

  // The way back: a whole line, with zeros for the nodes that `nodes` has no bits for.
  template <size_t BYTES>
  static void open(const uint8_t* from, const uint8_t* end, unsigned nodes, uint8_t* line) {
    if (end - from < (ptrdiff_t)(8 * BYTES)) {
      std::memset(line, 0, 8 * BYTES);
      for (; nodes; nodes &= nodes - 1, from += BYTES) std::memcpy(line + BYTES * __builtin_ctz(nodes), from, BYTES);
      return;
    }
    for (int k = 0; k < 8; k++) {
      const uint32_t there = nodes >> k & 1;
      Features<BYTES> features;
      std::memcpy(&features, from, BYTES);
      for (uint32_t& word : features.word) word &= 0 - there;
      std::memcpy(line + BYTES * k, &features, BYTES);
      from += BYTES * there;
    }
  }

  static HalfLine packed16(const R* line) {
    float single[LINE];
    for (int i = 0; i < LINE; i++) single[i] = (float)line[i];
    return packLine(single);
  }
  static void unpacked16(const HalfLine& packed, R* line) {
    float single[LINE];
    unpackLine(packed, single);
    for (int i = 0; i < LINE; i++) line[i] = single[i];
  }
};

}  // namespace implicam
