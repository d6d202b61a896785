// The disk over which a source pixel spreads: k(t, ρ) = clamp(ρ + ½ − t, 0, 1) / (π(ρ² + 1/12)), ρ² = ¼ + c⁴/(c² + ⅔).
// docs/reference/MODEL.md, "lens, patches"; why so: model/camera/lens-kernel.ts.
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

struct Offset {
  int16_t dx, dy;
  float distance;
};

// How many offsets `diskOffsets` may write.
IC_EITHER int mostOffsets(int reach) { return (2 * reach + 1) * (2 * reach + 1); }

// Offsets within reach + ½ of the centre, nearest first (equally far: by rows), so that a sum may end at its widest
// radius. Returns how many.
IC_EITHER int diskOffsets(int reach, Offset* at) {
  int count = 0;
  for (int square = 0; square <= reach * reach + reach; square++)
    for (int dy = -reach; dy <= reach; dy++) {
      const int rest = square - dy * dy;
      if (rest < 0) continue;
      const int dx = (int)squareRoot((float)rest);
      if (dx > reach || dx * dx != rest) continue;
      const float distance = squareRoot((float)square);
      if (dx > 0) at[count++] = {(int16_t)-dx, (int16_t)dy, distance};
      at[count++] = {(int16_t)dx, (int16_t)dy, distance};
    }
  return count;
}

template <class T>
struct Radius {
  T rho, inverse, slope;  // ρ, 1/(π(ρ² + 1/12)), dρ/dc
};

// From the circle of confusion c; wider than reach − 0.6 it is held.
template <class S, class T>
IC_SAME Radius<T> radiusOf(T c, S reach) {
  const S limit = reach - (S)0.6;
  const T c2 = c * c, over = c2 < limit * limit ? c2 : every<T>(limit * limit);
  const S share = (S)(2.0 / 3);
  const T part = over / (over + share), square = over * part + (S)0.25;
  const T rho = squareRoot(square);
  // dρ²/dc² = 1 − (⅔/(c² + ⅔))² = part (2 − part)
  const T slope = c * part * ((S)2 - part) / rho;
  return {rho, 1 / ((S)3.14159265358979324 * (square + (S)(1.0 / 12))), c2 < limit * limit ? slope : T{}};
}

}  // namespace implicam::IC_SPACE
