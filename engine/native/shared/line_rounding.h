// The 16-bit rounding of gradient sums (docs/reference/MODEL.md, "Reduction"): a line of 16 numbers has one exponent, a number is an
// integer of 16 bits times its power of two. Bits are taken and made by `bitsOf` and `fromBits`, everything else is exact.
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

constexpr int16_t ZERO_LINE = -32768, NAN_LINE = 32767;
constexpr int LOWEST_EXPONENT = -100 - 14, HIGHEST_EXPONENT = 126 - 14;  // of lines that are neither

IC_SAME uint32_t bitsOf(float x) {
  uint32_t b;
  __builtin_memcpy(&b, &x, 4);
  return b;
}
IC_SAME float fromBits(uint32_t b) {
  float x;
  __builtin_memcpy(&x, &b, 4);
  return x;
}
IC_SAME float powerOfTwo(int e) { return fromBits((uint32_t)(e + 127) << 23); }

// The exponent of a line whose largest magnitude has the bits `top`.
IC_SAME int16_t exponentOfLine(uint32_t top) {
  // Would the largest round up to the next power of two?
  const bool up = (top & 0x7fffff) >= 0x7fff00;
  const int e = (int)(top >> 23) - 127 - 14;
  if (e < LOWEST_EXPONENT) return ZERO_LINE;
  if (e > HIGHEST_EXPONENT || (up && e == HIGHEST_EXPONENT)) return NAN_LINE;
  return (int16_t)(e + up);
}

// x / 2^e to the nearest integer, ties to even; `scale` is 2^−e. Both steps are exact: a power of two, then 1.5 · 2^23, whose
// sum has no digits behind the point.
IC_SAME int16_t mantissaOf(float x, float scale) { return (int16_t)(bitsOf(x * scale + 12582912.0f) - 0x4b400000u); }

}  // namespace implicam::IC_SPACE
