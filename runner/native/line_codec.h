// Lines of gradients as bytes on their way between runners: as they are, or each rounded to a common exponent and 16 bits
// (reduction.h). Sums are rounded in the same way wherever they are added, so that the bits do not depend on what travelled.
#pragma once
#include <algorithm>
#include <cstring>
#include "plan.h"
#include "reduction.h"

namespace implicam {

template <class R>
struct LineCodec {
  bool half;

  void add(R* a, const R* b) const {
    for (int i = 0; i < LINE; i++) a[i] += b[i];
    if (half) roundLine(a);
  }

  // A bit for each node of a line that is not zero.
  static uint8_t nodesOf(const R* line) {
    uint8_t nodes = 0;
    for (int k = 0; k < 8; k++) nodes |= (uint8_t)((line[2 * k] != 0 || line[2 * k + 1] != 0) << k);
    return nodes;
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

  // The nodes of a grid line that `nodes` has bits for, one after the other.
  void putNodes(uint8_t* to, const R* line, unsigned nodes) const {
    HalfLine packed;
    const uint8_t* from = (const uint8_t*)line;
    size_t bytes = 2 * sizeof(R);
    if (half) {
      packed = packed16(line);
      std::memcpy(to, &packed.exponent, 2);
      to += 2;
      from = (const uint8_t*)packed.mantissa;
      bytes = 4;
    }
    for (; nodes; nodes &= nodes - 1, to += bytes) std::memcpy(to, from + bytes * __builtin_ctz(nodes), bytes);
  }

  void getNodes(const uint8_t* from, unsigned nodes, R* line) const {
    HalfLine packed{};
    uint8_t* to = (uint8_t*)line;
    size_t bytes = 2 * sizeof(R);
    std::fill_n(line, LINE, R(0));
    if (half) {
      std::memcpy(&packed.exponent, from, 2);
      from += 2;
      to = (uint8_t*)packed.mantissa;
      bytes = 4;
    }
    for (; nodes; nodes &= nodes - 1, from += bytes) std::memcpy(to + bytes * __builtin_ctz(nodes), from, bytes);
    if (half) unpacked16(packed, line);
  }

 private:
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
