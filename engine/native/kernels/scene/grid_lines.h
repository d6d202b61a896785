// Walking the lines of a grid's gradient: 8 nodes each. Large levels mark the lines that a shard touches.
#pragma once
#include <algorithm>
#include <cstring>
#include "shared/plan.h"
#include "reduction/reduction.h"
#include "shared/reduction_tree.h"

namespace implicam {

constexpr int MARKED_NODES_TO = 8192;  // levels up to this size are not marked, see hash_grid.h

// Calls visit(line) for the lines [from, to) of a grid that may hold a gradient.
template <class Visit>
void eachLine(const GridSpec& grid, const uint8_t* touched, int64_t from, int64_t to, Visit visit) {
  for (int l = 0; l < grid.levels; l++) {
    int64_t a = std::max<int64_t>(from, grid.level[l].offset / 8);
    int64_t b = std::min<int64_t>(to, (grid.level[l].offset + grid.level[l].nodes + 7) / 8);
    if (grid.level[l].nodes <= MARKED_NODES_TO) {
      for (int64_t i = a; i < b; i++) visit(i);
      continue;
    }
    for (int64_t i = a; i < b; i++) {
      uint64_t eight;
      while (i + 8 <= b && (std::memcpy(&eight, touched + i, 8), eight == 0)) i += 8;
      if (i < b && touched[i]) visit(i);
    }
  }
}

template <class R>
bool isZeroLine(const R* x) {
  bool zero = true;
  for (int i = 0; i < LINE; i++) zero &= x[i] == 0;
  return zero;
}

// Calls visit(line) for the lines of a grid in [from, to) that any of the shards may have touched, and clears their marks.
template <class Visit>
void touchedLines(const GridSpec& grid, int64_t from, int64_t to, uint8_t* const* touched, size_t count,
                  Visit visit) {
  for (int l = 0; l < grid.levels; l++) {
    int64_t a = std::max<int64_t>(from, grid.level[l].offset / 8);
    int64_t b = std::min<int64_t>(to, (grid.level[l].offset + grid.level[l].nodes + 7) / 8);
    bool whole = grid.level[l].nodes <= MARKED_NODES_TO;
    for (int64_t i = a; i < b; i++) {
      bool hit = whole;
      for (size_t s = 0; s < count; s++) {
        hit |= touched[s][i] != 0;
        touched[s][i] = 0;
      }
      if (hit) visit(i);
    }
  }
}

// Sums the shards' line in the fixed tree into `sum` and clears it.
template <class R>
void takeLine(R* const* grads, size_t count, int64_t at, R* sum) {
  R part[64][LINE];
  for (size_t s = 0; s < count; s++) {
    std::copy_n(grads[s] + at, LINE, part[s]);
    std::fill_n(grads[s] + at, LINE, R(0));
  }
  host::forEachSum((int)count, [&](int into, int from) {
    for (int i = 0; i < LINE; i++) part[into][i] += part[from][i];
  });
  std::copy_n(part[0], LINE, sum);
}

}  // namespace implicam
