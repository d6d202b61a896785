// Lines of gradients on their way between runners: what of them is sent, and how the rest comes back.
#pragma once
#include <cstring>
#include "shared/plan.h"
#include "reduction/reduction.h"

namespace implicam {

template <class R>
struct LineCodec {
  static constexpr size_t BYTES = 2 * sizeof(R);  // of a node's features

  static void add(R* a, const R* b) {
    for (int i = 0; i < LINE; i++) a[i] += b[i];
  }

  // A bit for each node of a line that is not zero. Which ones are not is as good as random: nothing here branches on it.
  static uint8_t nodesOf(const R* line) {
    unsigned nodes = 0;
    for (int k = 0; k < 8; k++) nodes |= (unsigned)((line[2 * k] != 0) | (line[2 * k + 1] != 0)) << k;
    return (uint8_t)nodes;
  }

  // Writes the nodes of a grid line that `nodes` has bits for, close together; where the next line goes. Nothing at `end`
  // or behind it is touched: with room for all eight each is written, and the next over it where it was not wanted.
  static uint8_t* putNodes(uint8_t* to, const uint8_t* end, const R* values, unsigned nodes) {
    const uint8_t* line = (const uint8_t*)values;
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

  // Reads what putNodes wrote; the other nodes are zero.
  static void getNodes(const uint8_t* from, const uint8_t* end, unsigned nodes, R* values) {
    uint8_t* line = (uint8_t*)values;
    if (end - from < (ptrdiff_t)(8 * BYTES)) {
      std::memset(line, 0, 8 * BYTES);
      for (; nodes; nodes &= nodes - 1, from += BYTES) std::memcpy(line + BYTES * __builtin_ctz(nodes), from, BYTES);
      return;
    }
    for (int k = 0; k < 8; k++) {
      const uint32_t there = nodes >> k & 1;
      uint32_t words[BYTES / 4];
      std::memcpy(words, from, BYTES);
      for (uint32_t& word : words) word &= 0 - there;
      std::memcpy(line + BYTES * k, words, BYTES);
      from += BYTES * there;
    }
  }
};

}  // namespace implicam
