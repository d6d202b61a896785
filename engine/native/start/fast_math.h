// fastExp and logInPlace of develop/start/pixels/fast-math.ts, to the same bits.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace implicam::start {

inline double exponential(double x) {
  const double y = x * 1.4426950408889634;
  if (y < -150) return 0;
  const double z = y > 127 ? 127 : y, whole = std::floor(z);
  const double g = (z - whole) * 0.6931471805599453 - 0.34657359;
  const double p =
      1 + g * (1 + g * (0.5 + g * (0.16666667 + g * (0.041666668 + g * (0.008333334 + g * 0.0013888889)))));
  const int64_t bits = (int64_t)((int)whole + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, 8);
  return 1.4142135623730951 * p * power;
}

inline float logarithm(float value) {
  int32_t bits;
  std::memcpy(&bits, &value, 4);
  double exponent = (bits >> 23) - 127, m = (bits & 0x7fffff) * 1.1920928955078125e-7;
  if (m > 0.41421356) {
    m = (m - 1) * 0.5;
    exponent++;
  }
  const double t = m / (2 + m), t2 = t * t;
  return (float)(exponent * 0.6931471805599453 + t * (2 + t2 * (0.66666667 + t2 * (0.4 + t2 * 0.2857143))));
}

}  // namespace implicam::start
