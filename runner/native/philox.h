// Philox4x32-10 and the batch of a step: model/philox.ts and model/sampler.ts, word for word.
#pragma once
#include <stdint.h>
#include "plan.h"
#include "simd.h"

namespace implicam::IMPLICAM_ISA {

struct Words {
  uint32_t w[4];
};

IC_INLINE Words philox4x32(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
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

constexpr uint32_t STREAM_EPOCH = 2, STREAM_SAMPLE = 3;

IC_INLINE float toUnit(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }

// The cells of a shard, visited once an epoch in an order of the epoch's own.
struct Draws {
  const Shard& shard;
  uint32_t seed;
  int patch;
  int64_t across, cells, known = -1;
  int64_t a = 1, b = 0;
  int ox = 0, oy = 0;

  Draws(const Shard& s, uint32_t seed, int patch) : shard(s), seed(seed), patch(patch) {
    across = (s.own.width + patch - 1 + patch - 1) / patch;
    cells = across * ((s.own.height + patch - 1 + patch - 1) / patch);
  }

  int64_t number(int64_t step, int j) const { return step * shard.drawStride + shard.drawOffset + j; }

  void origin(int64_t draw, int& x, int& y) {
    int64_t e = draw / cells;
    if (e != known) begin(e);
    int64_t cell = (a * (draw % cells) + b) % cells;
    x = shard.own.x + (int)(cell % across) * patch - ox;
    y = shard.own.y + (int)(cell / across) * patch - oy;
  }

  void units(int64_t draw, float& u0, float& u1) const {
    Words w = philox4x32((uint32_t)draw, (uint32_t)(draw >> 32), shard.key, 0, seed, STREAM_SAMPLE);
    u0 = toUnit(w.w[0]);
    u1 = toUnit(w.w[1]);
  }

 private:
  void begin(int64_t epoch) {
    known = epoch;
    Words w = philox4x32((uint32_t)epoch, shard.key, 0, 0, seed, STREAM_EPOCH);
    a = cells > 1 ? 1 + w.w[0] % (cells - 1) : 1;
    while (gcd(a, cells) != 1) a = a + 1 < cells ? a + 1 : 1;
    b = w.w[1] % cells;
    ox = (int)(w.w[2] % (uint32_t)patch);
    oy = (int)(w.w[3] % (uint32_t)patch);
  }

  static int64_t gcd(int64_t a, int64_t b) {
    while (b > 0) {
      int64_t r = a % b;
      a = b;
      b = r;
    }
    return a;
  }
};

}  // namespace implicam::IMPLICAM_ISA
