// Philox4x32-10 and the batch of a step: model/philox.ts and model/sampler.ts once more.
#pragma once
#include "step.h"

namespace implicam::device {

struct Words {
  uint32_t w[4];
};

IC_DEVICE Words philox4x32(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
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

IC_DEVICE float toUnit(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }

struct Draw {
  int x, y;       // pixel, or first pixel of a patch
  float u0, u1;   // random numbers of the draw
};

// The j-th draw of a shard at a step, cells of `patch` pixels a side. Every epoch visits every cell once.
IC_DEVICE Draw drawOf(const Shard& s, uint32_t seed, int patch, int64_t step, int j) {
  const int64_t across = (s.own.width + patch - 1 + patch - 1) / patch;
  const int64_t cells = across * ((s.own.height + patch - 1 + patch - 1) / patch);
  const int64_t number = step * s.drawStride + s.drawOffset + j;
  const int64_t epoch = number / cells;
  const Words w = philox4x32((uint32_t)epoch, s.key, 0, 0, seed, STREAM_EPOCH);
  // Coprime to the number of cells, so that a·r + b mod cells is a permutation.
  int64_t a = cells > 1 ? 1 + w.w[0] % (cells - 1) : 1;
  for (;;) {
    int64_t p = a, q = cells;
    while (q > 0) {
      int64_t r = p % q;
      p = q;
      q = r;
    }
    if (p == 1) break;
    a = a + 1 < cells ? a + 1 : 1;
  }
  const int64_t cell = (a * (number % cells) + w.w[1] % cells) % cells;
  const Words u = philox4x32((uint32_t)number, (uint32_t)(number >> 32), s.key, 0, seed, STREAM_SAMPLE);
  return {s.own.x + (int)(cell % across) * patch - (int)(w.w[2] % (uint32_t)patch),
          s.own.y + (int)(cell / across) * patch - (int)(w.w[3] % (uint32_t)patch), toUnit(u.w[0]), toUnit(u.w[1])};
}

}  // namespace implicam::device
