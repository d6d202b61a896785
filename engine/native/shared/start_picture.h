// A start picture between its pixels.
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

template <class S>
struct Sampled {
  S value, gx, gy;
};

// Bilinear at a position inside the picture, and its slopes; pixel centres lie at halves.
template <class S>
IC_SAME Sampled<S> bilinear(const Model& m, const float* plane, S px, S py) {
  S fx = px - (S)0.5, fy = py - (S)0.5;
  int ix = (int)fx, iy = (int)fy;
  ix = ix > m.width - 2 ? m.width - 2 : ix;
  iy = iy > m.height - 2 ? m.height - 2 : iy;
  ix = ix < 0 ? 0 : ix;
  iy = iy < 0 ? 0 : iy;
  const int right = m.width > 1 ? 1 : 0;
  const int64_t down = m.height > 1 ? m.width : 0;
  fx -= ix;
  fy -= iy;
  const float* s = plane + (int64_t)iy * m.width + ix;
  const S a = s[0], b = s[right], c = s[down], d = s[down + right];
  return {(a + (b - a) * fx) * (1 - fy) + (c + (d - c) * fx) * fy, (b - a) * (1 - fy) + (d - c) * fy,
          (c - a) * (1 - fx) + (d - b) * fx};
}

}  // namespace implicam::IC_SPACE
