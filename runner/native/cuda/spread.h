// The lens as a source-side spread (docs/MODEL.md, "lens, patches"): S[V](x) = Σ_y k(|x − y|, ρ(y)) V(y),
// k(t, ρ) = clamp(ρ + ½ − t, 0, 1) / (π(ρ² + 1/12)).
#pragma once
#include <algorithm>
#include <vector>
#include "step.h"

namespace implicam::device {

struct Offset {
  int16_t dx, dy;
  float distance;
};

// Offsets within reach + ½ of the centre, nearest first, so that a sum may end at its widest radius.
inline std::vector<Offset> spreadOffsets(int reach) {
  std::vector<Offset> list;
  for (int dy = -reach; dy <= reach; dy++)
    for (int dx = -reach; dx <= reach; dx++) {
      const float d = sqrtf((float)(dx * dx + dy * dy));
      if (d < reach + .5f) list.push_back({(int16_t)dx, (int16_t)dy, d});
    }
  std::stable_sort(list.begin(), list.end(), [](const Offset& a, const Offset& b) { return a.distance < b.distance; });
  return list;
}

// ρ, 1/(π(ρ² + 1/12)), and dρ/dc.
struct Radius {
  float rho, inverse, slope;
};
IC_DEVICE Radius radius(float c, int reach) {
  const float limit = reach - .6f, c2 = c * c, over = lesser(c2, limit * limit), rho = sqrtf(over + .25f);
  return {rho, 1 / (PI * (over + (float)(.25 + 1.0 / 12))), c2 < limit * limit ? c / rho : 0};
}

}  // namespace implicam::device
