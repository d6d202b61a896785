// The camera response's knots and the frames' exposures as they follow from the parameters. docs/reference/MODEL.md, "Tone mapper".
#pragma once
#include "shared/machine.h"

namespace implicam::IC_SPACE {

// Values of n knots from n − 1 logits: v_j = Σ_{i<j} softmax(a)_i.
template <class S>
IC_SAME void knotValues(const S* a, int n, S* v) {
  S top = a[0];
  for (int j = 1; j < n - 1; j++) top = a[j] > top ? a[j] : top;
  v[0] = 0;
  for (int j = 1; j < n; j++) v[j] = v[j - 1] + exponential(a[j - 1] - top);
  const S inverse = 1 / v[n - 1];
  for (int j = 1; j < n; j++) v[j] *= inverse;
}

// Adds d/d(logits) to `out`, from d/d(values) given by dv(j).
template <class S, class Gradient>
IC_SAME void knotGradient(const S* v, int n, Gradient dv, S* out) {
  S tail = 0, mean = 0;
  for (int i = n - 2; i >= 0; i--) {
    tail += dv(i + 1);
    mean += (v[i + 1] - v[i]) * tail;
  }
  tail = 0;
  for (int i = n - 2; i >= 0; i--) {
    tail += dv(i + 1);
    out[i] += (v[i + 1] - v[i]) * (tail - mean);
  }
}

// ev = base + squash(P δ), computed in C; `slope` is d ev / d(P δ).
template <class C, class S>
IC_SAME C exposureOf(const Model& m, const S* theta, int frame, C& slope) {
  C shift = 0;
  for (int j = 0; j < m.exposures; j++) shift += (C)m.evBasis[frame * m.exposures + j] * (C)theta[m.exposure + j];
  slope = 1;
  if (m.evSquash > 0) {
    const C t = hyperbolicTangent(shift);
    slope = (C)m.evSquash * (1 - t * t);
    shift = (C)m.evSquash * t;
  }
  return (C)m.evBase[frame] + shift;
}

}  // namespace implicam::IC_SPACE
