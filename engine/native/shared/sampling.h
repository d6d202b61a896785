// The batch of a step, as a pure function of seed, step and shard: Philox4x32-10 (Salmon et al. 2011) and the order in
// which cells are visited; model/philox.ts and model/sampler.ts, word for word.
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

struct Words {
  uint32_t w[4];
};

IC_SAME Words philox4x32(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

constexpr uint32_t STREAM_EPOCH = 2;

IC_SAME int64_t drawNumber(const Shard& s, int64_t step, int j) { return step * s.drawStride + s.drawOffset + j; }

// Cells of `patch` pixels a side that cover a shard wherever they start.
struct Cells {
  int patch;
  int64_t across, count;

  static IC_MEMBER Cells of(const Shard& s, int patch) {
    const int64_t across = (s.own.width + patch - 1 + patch - 1) / patch;
    return {patch, across, across * ((s.own.height + patch - 1 + patch - 1) / patch)};
  }
};

// Every epoch visits every cell once, the r-th being a·r + b, and displaces them all by (−dx, −dy).
struct Epoch {
  int64_t a, b;
  int dx, dy;
};

IC_SAME Epoch epochOf(const Shard& s, uint32_t seed, const Cells& cells, int64_t epoch) {
  const Words w = philox4x32((uint32_t)epoch, s.key, 0, 0, seed, STREAM_EPOCH);
  // Coprime to the number of cells, so that the order is a permutation.
  int64_t a = cells.count > 1 ? 1 + w.w[0] % (cells.count - 1) : 1;
  for (;;) {
    int64_t p = a, q = cells.count;
    while (q > 0) {
      const int64_t r = p % q;
      p = q;
      q = r;
    }
    if (p == 1) break;
    a = a + 1 < cells.count ? a + 1 : 1;
  }
  return {a, w.w[1] % cells.count, (int)(w.w[2] % (uint32_t)cells.patch), (int)(w.w[3] % (uint32_t)cells.patch)};
}

// First pixel of a draw's cell.
IC_SAME void originOf(const Shard& s, const Cells& cells, const Epoch& e, int64_t draw, int& x, int& y) {
  const int64_t cell = (e.a * (draw % cells.count) + e.b) % cells.count;
  x = s.own.x + (int)(cell % cells.across) * cells.patch - e.dx;
  y = s.own.y + (int)(cell / cells.across) * cells.patch - e.dy;
}

}  // namespace implicam::IC_SPACE
