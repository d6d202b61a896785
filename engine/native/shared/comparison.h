// What a predicted value costs against a frame's. docs/reference/MODEL.md, "Losses".
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

template <class T>
struct Cost {
  T loss, squared, counted;  // weighted loss; squared error without any weight, of the `counted`
  T dy;                      // dL/dy
};

// y, dy/dz against the target t. `weight`: ω without its slope part, 0 where the value does not count; `scale`:
// 4/(N·F·3); gamma, logGamma: the step's random gamma and 1/ln(gamma + 1).
template <class S, class T>
IC_SAME Cost<T> costOf(const Loss& loss, S gamma, S logGamma, S scale, T t, T y, T slope, T weight) {
  const S high = (S)(254.5 / 255), low = (S)(0.5 / 255), strength = (S)loss.randomGamma;
  T e = y - t, gain = every<T>((S)1);
  if (strength > 0) {
    const T lit = y > 0 ? y : T{};
    e += strength * (logarithm(lit * gamma + 1) - logarithm(t * gamma + 1)) * logGamma;
    const T d = strength * logGamma * gamma / (lit * gamma + 1);
    gain += y > 0 ? d : T{};
  }
  // A clipped pixel is an inequality.
  const auto clipped = ((t >= high) & (y > high)) | ((t <= low) & (y < low));
  const T plain = clipped ? T{} : y - t;
  if (loss.inequality) e = clipped ? T{} : e;
  const T counted = weight > 0 ? every<T>((S)1) : T{};
  T w = weight * scale;
  if (loss.slope) w *= (S)0.05 / (slope * slope + (S)0.01);
  return {w * e * e, counted * plain * plain, counted, 2 * w * e * gain};
}

}  // namespace implicam::IC_SPACE
