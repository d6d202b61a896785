// The losses that do not depend on samples (docs/reference/MODEL.md): once a step, after the sum over shards.
#pragma once
#include "shared/plain_losses.h"

namespace implicam {

// Adds their gradient to that of the shared parameters and returns their sum.
template <class R>
double plainLosses(const Model& m, const R* theta, R* gradient) {
  double total = 0;
  for (int c = 0; c < 3; c++) {
    if (m.knots && m.loss.toneSmooth > 0) total += host::toneSmoothness<double>(m, c, theta, gradient);
    if (!m.knots && m.loss.tonePin > 0) total += host::tonePin<double>(m, c, theta, gradient);
  }
  if (m.loss.exposureAnchor > 0) total += host::exposureAnchor<double>(m, theta, gradient);
  if (m.loss.rigidity > 0 && m.registration >= 0) total += host::rigidity<double>(m, theta, gradient);
  return total;
}

}  // namespace implicam
