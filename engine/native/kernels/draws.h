// The draws of a shard, one after the other.
#pragma once
#include "shared/sampling.h"

namespace implicam::IMPLICAM_ISA {

struct Draws {
  const Shard& shard;
  uint32_t seed;
  Cells cells;
  int64_t known = -1;  // the epoch of `epoch`
  Epoch epoch{};

  Draws(const Shard& s, uint32_t seed, int patch) : shard(s), seed(seed), cells(Cells::of(s, patch)) {}

  int64_t number(int64_t step, int j) const { return drawNumber(shard, step, j); }

  // First pixel of a draw's cell.
  void origin(int64_t draw, int& x, int& y) {
    const int64_t e = draw / cells.count;
    if (e != known) {
      epoch = epochOf(shard, seed, cells, e);
      known = e;
    }
    originOf(shard, cells, epoch, draw, x, y);
  }
};

}  // namespace implicam::IMPLICAM_ISA
